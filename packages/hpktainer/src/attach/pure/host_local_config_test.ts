import { assertEquals, assertThrows } from "@std/assert";
import {
  hostLocalConfig,
  hostLocalEnvironment,
  type HostLocalRequest,
  parseHostLocalError,
  parseHostLocalResult,
} from "./host_local_config.ts";
import { formatIpv4, parseCidr, parseIpv4 } from "@hpk/core";
import { parseCidr6, parseIpv6 } from "@hpk/core";

const REQUEST: HostLocalRequest = {
  network: "hpktainer",
  subnet: parseCidr("10.96.0.0/24")!,
  gateway: parseIpv4("10.96.0.1")!,
  ipv6: undefined,
  dataDir: "/run/hpktainer/leases",
  id: "0123456789ab",
  address: undefined,
};

Deno.test("hostLocalConfig() is a CNI 1.0.0 configuration with one range", () => {
  assertEquals(JSON.parse(hostLocalConfig(REQUEST)), {
    cniVersion: "1.0.0",
    name: "hpktainer",
    type: "bridge",
    ipam: {
      type: "host-local",
      dataDir: "/run/hpktainer/leases",
      ranges: [[{ subnet: "10.96.0.0/24", gateway: "10.96.0.1" }]],
    },
  });
});

Deno.test("hostLocalConfig() has a second range if IPv6 is wanted", () => {
  const ipv6 = { subnet: parseCidr6("fd00:96::/64")!, gateway: parseIpv6("fd00:96::1")! };
  assertEquals(JSON.parse(hostLocalConfig({ ...REQUEST, ipv6 })).ipam.ranges, [
    [{ subnet: "10.96.0.0/24", gateway: "10.96.0.1" }],
    [{ subnet: "fd00:96::/64", gateway: "fd00:96::1" }],
  ]);
});

Deno.test("hostLocalEnvironment() has what the plugin requires, and the requested address", () => {
  const base = {
    CNI_CONTAINERID: "0123456789ab",
    CNI_NETNS: "/dev/null",
    CNI_IFNAME: "eth0",
    CNI_PATH: "/",
  };
  assertEquals(hostLocalEnvironment("ADD", REQUEST), { ...base, CNI_COMMAND: "ADD" });
  const address = parseIpv4("10.96.0.7")!;
  assertEquals(hostLocalEnvironment("DEL", { ...REQUEST, address }), {
    ...base,
    CNI_COMMAND: "DEL",
    CNI_ARGS: "IgnoreUnknown=1;IP=10.96.0.7",
  });
});

Deno.test("parseHostLocalResult() returns the first address of each family", () => {
  const result = {
    cniVersion: "1.0.0",
    ips: [{ address: "10.96.0.10/24", gateway: "10.96.0.1" }],
    routes: [],
    dns: {},
  };
  const read = (ips: unknown[]) => parseHostLocalResult(JSON.stringify({ ...result, ips }));
  assertEquals(formatIpv4(read(result.ips).ipv4), "10.96.0.10");
  assertEquals(read(result.ips).ipv6, undefined);
  assertEquals(
    read([{ address: "fd00:96::2/64" }, ...result.ips]).ipv6,
    parseIpv6("fd00:96::2"),
  );
});

Deno.test("parseHostLocalResult() refuses a result without an IPv4 address", () => {
  const results = [
    ...["", "{", "{}", '{"ips":[]}', '{"ips":[{}]}', '{"ips":[{"address":"fd00::2/64"}]}'],
    ...['{"ips":[{"address":"10.96.0.10"}]}', '{"ips":null}'],
  ];
  for (const text of results) assertThrows(() => parseHostLocalResult(text), SyntaxError);
});

Deno.test("parseHostLocalError() distinguishes an exhausted range, a taken address and other errors", () => {
  const json = (msg: string, details?: string) => JSON.stringify({ code: 999, msg, details });
  const exhausted = "failed to allocate for range 0: no IP addresses available in range set: " +
    "10.96.0.1-10.96.0.2";
  const taken = "failed to allocate for range 0: requested IP address 10.96.0.7 is not available " +
    "in range set 10.96.0.1-10.96.0.254";
  const again = "failed to allocate for range 0: 10.96.0.7 has been allocated to x, duplicate " +
    "allocation is not allowed";
  const cases: [string, string, string][] = [
    [json(exhausted), exhausted, "exhausted"],
    [json(taken), taken, "taken"],
    [json(again), again, "other"],
    [json("decoding version", "unexpected end"), "decoding version: unexpected end", "other"],
    ["fork/exec: no such file\n", "fork/exec: no such file", "other"],
    ["", "", "other"],
    ["{}", "", "other"],
  ];
  for (const [stdout, message, failure] of cases) {
    assertEquals(parseHostLocalError(stdout), { message, failure } as never, stdout);
  }
});
