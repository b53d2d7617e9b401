/**
 * What the product relies on in the CNI plugin host-local, on a range of two addresses:
 *
 *     10.96.0.0/29: gateway .1, range .2 to .3; leases are files in /var/lib/cni/networks/NETWORK/ADDRESS
 */
import { assert, assertEquals } from "@std/assert";
import {
  findCniPlugin,
  hostLocal,
  PrivateHost,
  privateHosts,
  type RunResult,
  testIf,
} from "../harness/mod.ts";

const needs = [...privateHosts, hostLocal];

const CONFIG = JSON.stringify({
  cniVersion: "1.0.0",
  name: "net",
  type: "bridge",
  ipam: {
    type: "host-local",
    ranges: [[{
      subnet: "10.96.0.0/29",
      rangeStart: "10.96.0.2",
      rangeEnd: "10.96.0.3",
      gateway: "10.96.0.1",
    }]],
    routes: [{ dst: "0.0.0.0/0" }],
  },
});

function call(host: PrivateHost, command: string, id: string, args = ""): Promise<RunResult> {
  return host.run(findCniPlugin("host-local") ?? "host-local", [], {
    clearEnv: true,
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: id,
      CNI_NETNS: "/run/netns/none",
      CNI_IFNAME: "eth0",
      CNI_PATH: "/nonexistent",
      CNI_ARGS: args,
    },
    stdin: CONFIG,
    check: false,
  });
}

testIf(
  { name: "host-local ADD prints the address, DEL prints nothing and may be repeated", needs },
  async () => {
    await using host = await PrivateHost.create();
    const added = await call(host, "ADD", "a");
    assertEquals(added.code, 0);
    assertEquals(JSON.parse(added.stdout), {
      cniVersion: "1.0.0",
      ips: [{ address: "10.96.0.2/29", gateway: "10.96.0.1" }],
      routes: [{ dst: "0.0.0.0/0" }],
      dns: {},
    });
    const lease = await host.run("cat", ["/var/lib/cni/networks/net/10.96.0.2"]);
    assertEquals(lease.stdout, "a\r\neth0");
    for (let time = 0; time < 2; time++) {
      const deleted = await call(host, "DEL", "a");
      assertEquals([deleted.code, deleted.stdout], [0, ""]);
    }
    const files = await host.run("ls", ["/var/lib/cni/networks/net"]);
    assertEquals(files.stdout, "last_reserved_ip.0\nlock\n");
  },
);

testIf({
  name: "host-local refuses the same id twice and a full range, with code 999 on standard output",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await call(host, "ADD", "a");
  const twice = await call(host, "ADD", "a");
  assertEquals(twice.code, 1);
  assertEquals(JSON.parse(twice.stdout).code, 999);
  assert(
    JSON.parse(twice.stdout).msg.includes("duplicate allocation is not allowed"),
    twice.stdout,
  );
  await call(host, "ADD", "b");
  const full = await call(host, "ADD", "c");
  assertEquals([full.code, full.stderr], [1, ""]);
  assert(
    JSON.parse(full.stdout).msg.includes("no IP addresses available in range set"),
    full.stdout,
  );
});

testIf({ name: "host-local gives a fixed address once, by CNI_ARGS", needs }, async () => {
  await using host = await PrivateHost.create();
  const fixed = "IgnoreUnknown=1;IP=10.96.0.3";
  const given = await call(host, "ADD", "a", fixed);
  assertEquals(JSON.parse(given.stdout).ips[0].address, "10.96.0.3/29");
  const taken = await call(host, "ADD", "b", fixed);
  assertEquals(taken.code, 1);
  assert(JSON.parse(taken.stdout).msg.includes("10.96.0.3 is not available"), taken.stdout);
});

testIf({ name: "host-local leases outlive a reboot", needs }, async () => {
  await using host = await PrivateHost.create();
  await call(host, "ADD", "a");
  await call(host, "ADD", "b");
  await host.reboot();
  assertEquals((await call(host, "ADD", "c")).code, 1);
});
