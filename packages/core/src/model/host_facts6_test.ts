import { assertEquals } from "@std/assert";
import { localAddresses6, parseRoutes6 } from "./host_facts6.ts";
import { formatCidr6 } from "./ipv6.ts";

Deno.test("parseRoutes6() reads routes of the table main, and addresses", () => {
  const json = JSON.stringify([
    { dst: "default", gateway: "fe80::1", dev: "eth0", protocol: "ra", metric: 1024 },
    { dst: "fd00:1::/64", dev: "br0", protocol: "kernel" },
    { type: "unreachable", dst: "fd00:9::/48", dev: "lo", protocol: "boot" },
    { type: "local", dst: "fd00:1::1", dev: "br0", table: "local", protocol: "kernel" },
    { type: "multicast", dst: "ff00::/8", dev: "br0", table: "local", protocol: "kernel" },
    { dst: "fd00:7::/64", dev: "wg0", table: "100", protocol: "static" },
    { dst: "fd00:8::5", dev: "br0", protocol: "boot" },
  ]);
  const read = parseRoutes6(json).map(({ destination, type, device, protocol }) =>
    [formatCidr6(destination), type, device, protocol].join(" ")
  );
  assertEquals(read, [
    "::/0 unicast eth0 ra",
    "fd00:1::/64 unicast br0 kernel",
    "fd00:9::/48 unreachable lo boot",
    "fd00:1::1/128 local br0 kernel",
    "fd00:8::5/128 unicast br0 boot",
  ]);
  assertEquals(localAddresses6(parseRoutes6(json)), ["fd00:1::1"]);
  assertEquals(parseRoutes6(""), []);
});
