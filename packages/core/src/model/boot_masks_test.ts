import { assert, assertEquals, assertThrows } from "@std/assert";
import { chooseMasks, MASK_GROUPS, maskTargets } from "./boot_masks.ts";
import { HpkError } from "./errors.ts";

const units = (allow: string[], hostNetwork = true) =>
  chooseMasks({ allow, hostNetwork }).map(({ unit }) => unit);

Deno.test("every network manager, and everything else that would change the host, is masked", () => {
  const masked = units([]);
  for (
    const unit of [
      "systemd-networkd.service",
      "systemd-networkd.socket",
      "systemd-networkd-wait-online.service",
      "systemd-network-generator.service",
      "systemd-resolved.service",
      "NetworkManager.service",
      "NetworkManager-wait-online.service",
      "networking.service",
      "dhclient.service",
      "dhcpcd.service",
      "wickedd.service",
      "connman.service",
      "cloud-init-local.service",
      "firewalld.service",
      "nftables.service",
      "iptables.service",
      "systemd-sysctl.service",
      "systemd-udevd.service",
      "systemd-udevd-control.socket",
      "systemd-timesyncd.service",
    ]
  ) assert(masked.includes(unit), unit);
});

Deno.test("every unit has one group, a known type and a reason", () => {
  const all = MASK_GROUPS.flatMap((group) => group.units);
  assertEquals(all.length, new Set(all).size);
  for (const unit of all) {
    assert(/^[A-Za-z0-9_.-]+@?\.(service|socket|timer|path|mount|automount)$/.test(unit), unit);
  }
  for (const { name, reason } of MASK_GROUPS) assert(reason !== "" && !reason.endsWith("."), name);
});

Deno.test("in a network of its own, a container may have a firewall of its own", () => {
  const masked = units([], false);
  assert(!masked.includes("nftables.service") && !masked.includes("iscsid.socket"));
  assert(masked.includes("systemd-networkd.service") && masked.includes("systemd-sysctl.service"));
});

Deno.test("a unit that is allowed runs with its whole group, named in three ways", () => {
  for (
    const word of ["systemd-networkd", "systemd-networkd.service", "systemd-networkd.socket"]
  ) {
    const masked = units([word]);
    assert(!masked.some((unit) => /^systemd-networkd\.(service|socket)$/.test(unit)), word);
    assert(masked.includes("systemd-networkd-wait-online.service"), word);
    assert(masked.includes("NetworkManager.service"), word);
  }
});

Deno.test("allowing a unit that is never masked is an error that lists the groups", () => {
  const error = assertThrows(() => units(["nginx.service"]), HpkError);
  assert(error.message.includes("nginx.service") && error.message.includes("NetworkManager"));
});

Deno.test("a mask is bound to the unit's own path, or to the existing file", () => {
  const mask = { unit: "x.service", group: "x", reason: "" };
  const etc = "/etc/systemd/system/x.service";
  const usr = "/usr/lib/systemd/system/x.service";
  const lib = "/lib/systemd/system/x.service";
  const cases: [string[] | undefined, string[]][] = [
    [undefined, [etc]],
    [[], []],
    [[usr, lib], [usr]],
    [[lib], [lib]],
    [[etc, usr], [etc]],
  ];
  for (const [files, expected] of cases) {
    const has = files === undefined ? undefined : (path: string) => files.includes(path);
    assertEquals(maskTargets(mask, has), expected);
  }
});
