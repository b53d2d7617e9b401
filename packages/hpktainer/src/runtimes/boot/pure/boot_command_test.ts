import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Mask } from "@hpk/core";
import {
  bootArguments,
  bootConfiguration,
  bootEnvironment,
  type BootFiles,
  inOwnCgroups,
} from "./boot_command.ts";
import type { BootOptions } from "../../../arguments/boot_options.ts";

const boot: BootOptions = {
  allow: [],
  timeout: 120,
  writable: "not at all",
  dropCapabilities: [],
  keepPrivileges: false,
  configuration: undefined,
};
const files: BootFiles = {
  mask: "/f/masked",
  resolver: { snippet: "/f/tmpfiles.conf", file: "/f/resolv.conf" },
  hostSettings: ["/proc/sys/kernel"],
  netSettingsWritable: true,
  hostNetwork: undefined,
};
const masks: Mask[] = ["a.service", "b.socket"].map((unit) => ({ unit, group: "g", reason: "r" }));
const none = () => false;

Deno.test("each mask is a separate bind, and no directory is bound", () => {
  const binds = bootArguments(boot, files, masks, [], none).filter((word) => word.includes(":"));
  assertEquals(binds, [
    "/f/masked:/etc/systemd/system/a.service:ro",
    "/f/masked:/etc/systemd/system/b.socket:ro",
    "/proc/sys/kernel:/proc/sys/kernel:ro",
    "/f/resolv.conf:/etc/hpktainer-resolv.conf:ro",
    "/f/tmpfiles.conf:/etc/tmpfiles.d/hpktainer.conf:ro",
  ]);
});

Deno.test("in the host's network, its settings are read-only and its namespace is joined", () => {
  const hostNetwork = { namespacePath: "/proc/7/ns/net", pidFile: "/f/pid" };
  const args = bootArguments(
    boot,
    { ...files, netSettingsWritable: false, hostNetwork },
    [],
    [],
    none,
  );
  const text = args.join(" ");
  assert(text.includes("--bind /proc/sys/net:/proc/sys/net:ro"));
  assert(text.includes("--bind /etc/hosts:/etc/hosts:ro"));
  assert(
    text.endsWith("--netns-path /proc/7/ns/net --bind /etc/hosts:/etc/hosts:ro --pid-file /f/pid"),
  );
});

Deno.test("a read-only image gets a writable layer", () => {
  const has = (writable: BootOptions["writable"]) =>
    bootArguments({ ...boot, writable }, files, [], [], none).includes("--writable-tmpfs");
  assertEquals([has("not at all"), has("as asked"), has("in place")], [true, false, false]);
});

Deno.test("in an image that is written in place, only existing files are bound over", () => {
  const args = bootArguments(
    { ...boot, writable: "in place" },
    files,
    masks,
    [],
    (path) => path === "/usr/lib/systemd/system/b.socket",
  );
  const targets = args.filter((word) => word.startsWith("/f/"));
  assertEquals(targets, ["/f/masked:/usr/lib/systemd/system/b.socket:ro"]);
});

Deno.test("missing and unwanted capabilities are dropped in addition to those of a boot", () => {
  const dropped = (options: Partial<BootOptions>, missing: string[]) => {
    const args = bootArguments({ ...boot, ...options }, files, [], missing, none);
    return args.includes("--keep-privs") ? args[args.indexOf("--drop-caps") + 1] : undefined;
  };
  assertEquals(dropped({}, []), undefined);
  assertEquals(dropped({}, ["CAP_SYS_RESOURCE"]), "CAP_SYS_BOOT,CAP_SYS_RAWIO,CAP_SYS_RESOURCE");
  assertEquals(
    dropped({ dropCapabilities: ["CAP_NET_ADMIN"] }, []),
    "CAP_SYS_BOOT,CAP_SYS_RAWIO,CAP_NET_ADMIN",
  );
  assertEquals(dropped({ keepPrivileges: true }, ["CAP_X"]), "CAP_X");
});

Deno.test("control groups are joined before the namespaces are created, and bound within them", () => {
  const mounts = [
    { path: "/sys/fs/cgroup/unified", version: 2 as const, hasCpuset: false },
    { path: "/sys/fs/cgroup/o'dd", version: 1 as const, hasCpuset: true },
  ];
  const [shell, option, script, ...rest] = inOwnCgroups(mounts, "hpktainer/1", "/usr/bin/unshare");
  assertEquals([shell, option, ...rest], ["sh", "-c", "sh"]);
  assertMatch(
    script!,
    /^echo \$\$ >'\/sys\/fs\/cgroup\/unified\/hpktainer\/1\/cgroup\.procs' && .* && exec '\/usr\/bin\/unshare' --cgroup --mount --propagation slave -- sh -c /,
  );
  assert(script!.includes("supervisor/cgroup.procs"));
  assert(script!.endsWith(` sh "$@"`));
});

Deno.test("the environment of the first process does not contain the caller's", () => {
  const own = { PATH: "/bin", HOME: "/root", SECRET: "x", APPTAINER_TMPDIR: "/t", http_proxy: "p" };
  const added = { HPK_IP: "10.96.0.2/24" };
  const base = { PATH: "/bin", HOME: "/root", APPTAINER_TMPDIR: "/t", container: "apptainer" };
  assertEquals(bootEnvironment(own, "boot.sif", [], added), { ...base, ...added });
  assertEquals(bootEnvironment(own, "docker://debian", [], {}), { ...base, http_proxy: "p" });
});

Deno.test("systemd stays with cgroup version 1 where the host has no other", () => {
  const mount = { path: "/c", hasCpuset: false };
  const staysWithV1 = (...versions: (1 | 2)[]) => {
    const mounts = versions.map((version) => ({ ...mount, version }));
    return "SYSTEMD_PROC_CMDLINE" in bootEnvironment({}, "boot.sif", mounts, {});
  };
  assertEquals([staysWithV1(1, 1), staysWithV1(1, 2), staysWithV1(2), staysWithV1()], [
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("any configuration of Apptainer is adapted to a boot", () => {
  const wanted = "mount proc = yes\nsystemd cgroups = no\nmount slave = no\n";
  assertEquals(bootConfiguration(wanted), undefined);
  assertEquals(bootConfiguration("mount proc = yes\n"), wanted);
  assertEquals(
    bootConfiguration("mount slave = yes\nmount proc = yes\nsystemd cgroups = yes\n")?.trimStart(),
    wanted,
  );
  assertEquals(
    bootConfiguration("# mount slave = no\nsystemd cgroups = no\n"),
    "# mount slave = no\nsystemd cgroups = no\nmount slave = no\n",
  );
});
