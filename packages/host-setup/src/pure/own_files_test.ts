import { assertEquals } from "@std/assert";
import {
  formatModules,
  formatSysctls,
  formatUdevRule,
  formatUnit,
  isOurText,
  parentsOf,
  wantedSysctls,
} from "./own_files.ts";

const HEAD = "# Made by host-setup; 'host-setup --undo' removes it. Settings: host.ini\n";

Deno.test("formatSysctls, golden: an interface with a dot, which may be absent", () => {
  assertEquals(
    formatSysctls(wantedSysctls("enX0.5")),
    `${HEAD}net/ipv4/ip_forward = 1
net/ipv4/conf/all/rp_filter = 2
net/ipv4/conf/default/rp_filter = 2
-net/ipv4/conf/enX0.5/rp_filter = 2
`,
  );
  assertEquals(wantedSysctls(undefined).length, 3);
});

Deno.test("formatModules and formatUdevRule, golden", () => {
  assertEquals(formatModules(["bridge", "veth"]), `${HEAD}bridge\nveth\n`);
  const own =
    'ACTION=="add", SUBSYSTEM=="net", KERNEL=="hpk0", RUN+="/sbin/ethtool -K $name tx off"\n';
  assertEquals(formatUdevRule("/sbin/ethtool", "hpk0", false), HEAD + own);
  const all = own.replace('KERNEL=="hpk0"', 'ENV{ID_NET_DRIVER}=="veth"');
  assertEquals(formatUdevRule("/sbin/ethtool", "hpk0", true), HEAD + own + all);
});

Deno.test("formatUnit quotes characters that are special to systemd", () => {
  const exec = (path: string) => /^ExecStart=(.*)$/m.exec(formatUnit(path))![1];
  assertEquals(
    exec("/usr/local/bin/host-setup"),
    "/usr/local/bin/host-setup --apply --no-packages",
  );
  assertEquals(exec("/opt/my tools/100%$x"), '"/opt/my tools/100%%$$x" --apply --no-packages');
});

Deno.test("parentsOf returns directories outermost first, without /etc", () => {
  assertEquals(parentsOf("/etc/udev/rules.d/x.rules"), ["/etc/udev", "/etc/udev/rules.d"]);
  assertEquals(parentsOf("/etc/x"), []);
});

Deno.test("isOurText recognises our files", () => {
  assertEquals([isOurText(formatModules([])), isOurText("bridge\n")], [true, false]);
});
