import { assert, assertEquals } from "@std/assert";
import { chooseMasks } from "@hpk/core";
import {
  formatOverrides,
  OVERRIDES_MARKER,
  overridesToJson,
  planOverrides,
} from "./boot_overrides.ts";

const masks = chooseMasks({ allow: [], hostNetwork: true });

Deno.test("there is an empty file and a bind for each unit, and no directory is bound", () => {
  const { files, binds } = planOverrides("/d", masks, []);
  assertEquals(files.get("etc/systemd/system/systemd-networkd.service"), "");
  const targets = binds.split(",").map((bind) => bind.split(":")[1]);
  for (const { unit } of masks) assert(targets.includes(`/etc/systemd/system/${unit}`), unit);
  assertEquals(files.get("binds"), `${binds}\n`);
  assertEquals(targets.slice(-2), ["/proc/sys/fs/nr_open", "/proc/sys/net"]);
  for (const bind of binds.split(",")) assert(bind.endsWith(":ro"), bind);
});

Deno.test("network settings can be written if the unit that writes them may run", () => {
  const allow = ["systemd-sysctl"];
  const { binds } = planOverrides("/d", chooseMasks({ allow, hostNetwork: true }), allow);
  assert(binds.endsWith("/proc/sys/fs/nr_open:/proc/sys/fs/nr_open:ro"));
});

Deno.test("the README explains the directory, its use, and why each unit is masked", () => {
  const text = planOverrides("/d", masks, ["udev"]).files.get("README")!;
  assert(text.startsWith(OVERRIDES_MARKER));
  assert(text.includes('APPTAINER_BIND="$(cat /d/binds)" apptainer instance start --boot'));
  assert(text.includes("NetworkManager: sets links, addresses, routes and resolv.conf\n"));
  assert(text.includes("Allowed to run: udev."));
});

Deno.test("the result is formatted as text and as JSON", () => {
  const overrides = planOverrides("/d", masks.slice(0, 1), ["udev"]);
  const text = formatOverrides(overrides, ["/d/binds"]);
  assert(text.startsWith("/d: 1 unit masked, allowed to run: udev; 1 file changed\n"), text);
  assert(
    formatOverrides(planOverrides("/d", masks, []), []).includes(" units masked; nothing changed"),
  );
  const json = overridesToJson(overrides, []) as { masks: { file: string; reason: string }[] };
  assertEquals(json.masks[0]!.file, "/d/etc/systemd/system/systemd-networkd.service");
  assert(json.masks[0]!.reason !== "");
});
