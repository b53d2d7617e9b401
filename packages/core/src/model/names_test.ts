import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  hostLinkName,
  hostNameOf,
  isContainerName,
  isHostLinkName,
  isInterfaceName,
  MAX_INTERFACE_NAME,
  namespaceName,
  newContainerId,
} from "./names.ts";

Deno.test("isContainerName() accepts the names that Apptainer accepts for an instance", () => {
  const good = ["web", "a", "0", "Web-1", "a.b_c", "a".repeat(63)];
  const bad = [
    ...["", "-web", ".web", "_web", "a b", "a/b", "../a", "a\n", "web;ls", "é", "a:b", "a,b"],
    ...["$HOME", "a\0", "a".repeat(64)],
  ];
  for (const name of good) assert(isContainerName(name), name);
  for (const name of bad) assert(!isContainerName(name), JSON.stringify(name));
});

Deno.test("isInterfaceName() accepts names that mean the same to the kernel, ip and iptables", () => {
  const good = ["lo", "eth0", "eth0.100", "hpk-bridge", "br_1", "0", "a".repeat(15), "..a"];
  const bad = [
    ...["", ".", "..", "a b", "a/b", "a:1", "a\t", "a".repeat(16)],
    ...["é".repeat(8), "br%d", "hpk+", "-br", "--help", 'a"b', "a'b", "#br", "a\\b", "!a", "a;b"],
  ];
  for (const name of good) assert(isInterfaceName(name), name);
  for (const name of bad) assert(!isInterfaceName(name), JSON.stringify(name));
});

Deno.test("an id is random, and the names made from it fit", () => {
  const ids = Array.from({ length: 1000 }, newContainerId);
  assertEquals(new Set(ids).size, ids.length);
  for (const id of ids) {
    assertMatch(id, /^[0-9a-f]{12}$/);
    assert(isContainerName(id), id);
    assert(isInterfaceName(hostLinkName(id)), id);
    assertEquals(hostLinkName(id).length, MAX_INTERFACE_NAME);
    assertMatch(namespaceName(id), /^hpk-[0-9a-f]{12}$/);
  }
});

Deno.test("hostNameOf() makes an RFC 1123 label from every container name", () => {
  const cases: [string, string][] = [
    ["web", "web"],
    ["my_web.1", "my-web-1"],
    ["web__", "web"],
    ["a.-_", "a"],
    ["a".repeat(63), "a".repeat(63)],
  ];
  for (const [name, expected] of cases) {
    assertEquals(hostNameOf(name), expected);
    assertMatch(expected, /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/);
  }
});

Deno.test("isHostLinkName() recognises names from hostLinkName()", () => {
  assert(isHostLinkName(hostLinkName(newContainerId())));
  for (const name of ["hpk-bridge", "hpk0", "hpk0123456789aB", "hpk0123456789abc", "veth0"]) {
    assert(!isHostLinkName(name), name);
  }
});
