import { assertEquals } from "@std/assert";
import { forwardedPorts } from "./foreign_ports.ts";

const SAVED = `*filter
-A FORWARD -p tcp -m tcp --dport 9 -j ACCEPT
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p udp -m udp --dport 5000:5009 -j DNAT --to-destination 172.17.0.2
-A CNI-DN-0 -p tcp -m comment --comment "dnat --dport 1 -j DNAT" -m multiport --dports 80,443 -j DNAT --to-destination 10.22.0.2:80
-A KUBE-NODEPORTS -p tcp -m comment --comment "a/b" -m tcp --dport 30080 -j KUBE-EXT-1
-A PREROUTING -p tcp -m tcp --dport 81 -j REDIRECT --to-ports 8081
-A PREROUTING -p sctp -m sctp --dport 82 -j DNAT --to-destination 10.0.0.1
-A HPK-PREROUTING -p tcp -m tcp --dport 83 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.96.0.2:80
-A POSTROUTING -p tcp -m tcp --dport 84 -j MASQUERADE
COMMIT
`;

Deno.test("forwardedPorts finds what rules of others forward, and nothing else", () => {
  const found = forwardedPorts(SAVED).map(({ chain, protocol, hostAddress, hostPort, count }) =>
    `${chain} ${protocol} ${hostAddress} ${hostPort}+${count}`
  );
  assertEquals(found, [
    "DOCKER tcp null 8080+1",
    "DOCKER udp 127.0.0.1 5000+10",
    "CNI-DN-0 tcp null 80+1",
    "CNI-DN-0 tcp null 443+1",
    "KUBE-NODEPORTS tcp null 30080+1",
    "PREROUTING tcp null 81+1",
  ]);
  assertEquals(forwardedPorts(""), []);
});
