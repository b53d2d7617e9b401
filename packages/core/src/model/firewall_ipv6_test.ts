import { assertEquals } from "@std/assert";
import { type FilteredContainer, wantedChains } from "./firewall.ts";
import { parsePublish } from "./published_port.ts";

Deno.test("wantedChains() uses IPv6 in the other packet filter", () => {
  const own = (address: string, ports: string[], policy = {}): FilteredContainer => ({
    address,
    bridge: "hpk-bridge",
    ports: ports.map((text) => parsePublish(text)!),
    policy: { isolated: false, masquerade: true, imds: false, ...policy },
  });
  const inputs = {
    networks: [{
      ...{ bridge: "hpk-bridge", subnet: "fd00:96::/64", podNetwork: "fd00::/32" },
      ...{ masquerade: true, uplink: null, nameServer: null },
    }],
    containers: [
      own("fd00:96::2", ["8080:80", "[::]:53:53/udp", "[2001:db8::1]:1-2:1-2", "127.0.0.1:9:9"]),
      own("fd00:96::3", [], { isolated: true, masquerade: false, imds: true }),
    ],
    localRoutes: true,
  };
  const lines = wantedChains(inputs, "ipv6").flatMap(({ table, name, rules }) =>
    rules.map((rule) => `${table} ${name.slice("HPK-".length)} ${rule}`)
  );
  const dnat = (before: string, protocol: string, port: string, behind: string, to: string) =>
    `${before}-p ${protocol} -m ${protocol} --dport ${port}${behind} -j DNAT --to-destination ${to}`;
  const local = " -m addrtype --dst-type LOCAL";
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  const but = "! -d ::1/128 ";
  assertEquals(lines, [
    "filter FORWARD -s fd00:96::3/128 -d fd00:ec2::254/128 -i hpk-bridge -j ACCEPT",
    "filter FORWARD -d fd00:ec2::254/128 -i hpk-bridge -p udp -m udp --dport 53 -j ACCEPT",
    "filter FORWARD -d fd00:ec2::254/128 -i hpk-bridge -p tcp -m tcp --dport 53 -j ACCEPT",
    "filter FORWARD -d fd00:ec2::254/128 -i hpk-bridge -j REJECT --reject-with icmp6-adm-prohibited",
    "filter FORWARD -s fd00:96::3/128 -i hpk-bridge -o hpk-bridge -j HPK-ISOLATED",
    "filter FORWARD -i hpk-bridge -j ACCEPT",
    "filter FORWARD -o hpk-bridge -j ACCEPT",
    "filter ISOLATED -d fd00:96::3/128 -j DROP",
    `nat PREROUTING ${dnat("", "tcp", "8080", local, "[fd00:96::2]:80")}`,
    `nat PREROUTING ${dnat("", "udp", "53", local, "[fd00:96::2]:53")}`,
    `nat PREROUTING ${dnat("-d 2001:db8::1/128 ", "tcp", "1:2", "", "fd00:96::2")}`,
    `nat OUTPUT ${dnat(but, "tcp", "8080", local, "[fd00:96::2]:80")}`,
    `nat OUTPUT ${dnat(but, "udp", "53", local, "[fd00:96::2]:53")}`,
    `nat OUTPUT ${dnat("-d 2001:db8::1/128 ", "tcp", "1:2", "", "fd00:96::2")}`,
    "nat POSTROUTING -s fd00:96::/64 -o hpk-bridge -m conntrack --ctstate DNAT -j MASQUERADE",
    "nat POSTROUTING -s fd00:96::3/128 -j ACCEPT",
    "nat POSTROUTING -s fd00:96::/64 -d fd00::/32 -j RETURN",
    "nat POSTROUTING -s fd00:96::/64 -d ff00::/8 -j RETURN",
    "nat POSTROUTING -s fd00:96::/64 ! -o hpk-bridge -j MASQUERADE",
    `mangle FORWARD -i hpk-bridge ${clamp}`,
    `mangle FORWARD -o hpk-bridge ${clamp}`,
  ]);
});
