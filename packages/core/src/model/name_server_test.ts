import { assert, assertEquals } from "@std/assert";
import { formatCidr, formatIpv4, parseCidr, parseIpv4 } from "./ipv4.ts";
import { parseCidr6 } from "./ipv6.ts";
import {
  formatNameEntry,
  formatPeerEntries,
  nameServerArguments,
  namesOfContainer,
  peersOf,
  reverseName,
} from "./name_server.ts";

Deno.test("nameServerArguments() listens on the gateways and follows the host's resolver", () => {
  const args = nameServerArguments(["10.96.0.1", "10.97.0.1"], {
    names: "/r/names",
    pidFile: "/r/pid",
    resolvConf: "/etc/resolv.conf",
  });
  for (
    const word of [
      ...["--listen-address=10.96.0.1", "--listen-address=10.97.0.1", "--hostsdir=/r/names"],
      ...["--resolv-file=/etc/resolv.conf", "--pid-file=/r/pid", "--conf-file="],
    ]
  ) assert(args.includes(word), word);
});

Deno.test("namesOfContainer() has full names first, and no short one that could be an outside name", () => {
  const cases: [string, string[]][] = [
    ["web", ["web.hpk", "web"]],
    ["web_1", ["web_1.hpk", "web-1.hpk", "web_1", "web-1"]],
    ["github.com", ["github.com.hpk", "github-com.hpk", "github-com"]],
    ["localhost", ["localhost.hpk"]],
    ["LocalHost", ["LocalHost.hpk"]],
    ["0123456789ab", ["0123456789ab.hpk", "0123456789ab"]],
  ];
  for (const [name, names] of cases) assertEquals(namesOfContainer(name), names, name);
});

Deno.test("formatNameEntry() lists containers of this host among all", () => {
  assertEquals(formatNameEntry("10.96.0.2", "web", true), "10.96.0.2\tweb.hpk web _all.hpk\n");
  assertEquals(formatNameEntry("10.96.0.2", "web", false), "10.96.0.2\tweb.hpk web\n");
});

/** As Linux on x86_64 prints it on a host with flanneld, VXLAN and direct routes. */
const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
hpk-bridge\t0005F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
flannel.1\t0006F40A\t0006F40A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t0007F40A\t0C6433C6\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
odd\t0008F40A\t00000000\t0001\t0\t0\t0\t00FF00FF\t0\t0\t0
host\t0109F40A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0
`;

Deno.test("peersOf() finds the other hosts of the pod network", () => {
  const peers = peersOf(ROUTES, parseCidr("10.244.0.0/16")!, [parseCidr("10.244.5.0/24")!]);
  assertEquals(
    peers.map(({ subnet, gateway }) => `${formatCidr(subnet)} ${formatIpv4(gateway)}`),
    ["10.244.6.0/24 10.244.6.1", "10.244.7.0/24 10.244.7.1"],
  );
  assertEquals(peersOf("", parseCidr("10.244.0.0/16")!, []), []);
  assertEquals(peersOf("Iface\nnonsense\n", parseCidr("10.244.0.0/16")!, []), []);
});

Deno.test("formatPeerEntries() accepts only another host's own containers from it", () => {
  const peer = { subnet: parseCidr("10.244.6.0/24")!, gateway: parseIpv4("10.244.6.1")! };
  const answer = (address: string, name: string, ...addresses6: string[]) => ({
    address,
    name,
    addresses6,
  });
  const answers = [
    answer("10.244.6.3", "web.hpk.", "fd00:244:0:6::3", "fd00:244:0:5::3", "2001:db8::1", "x"),
    answer("10.244.6.2", "db_1.hpk"),
    answer("10.244.5.2", "foreign.hpk."),
    answer("10.244.6.4", "github.com."),
    answer("10.244.6.5", "a b.hpk"),
    answer("10.244.6.6", ".hpk"),
    answer("10.244.6.7", "_all.hpk"),
    answer("nonsense", "x.hpk"),
  ];
  const ipv4 = "10.244.6.2\tdb_1.hpk db-1.hpk db_1 db-1\n10.244.6.3\tweb.hpk web\n";
  const own6 = [parseCidr6("fd00:244:0:5::/64")!];
  assertEquals(formatPeerEntries(peer, answers, undefined, own6), ipv4);
  assertEquals(
    formatPeerEntries(peer, answers, parseCidr6("fd00:244::/56")!, own6),
    `${ipv4}fd00:244:0:6::3\tweb.hpk web\n`,
  );
});

Deno.test("reverseName() reverses an address", () => {
  assertEquals(reverseName("10.244.6.3"), "3.6.244.10.in-addr.arpa");
});
