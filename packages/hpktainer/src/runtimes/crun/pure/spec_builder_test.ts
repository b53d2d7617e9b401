import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { planCapabilities } from "./capabilities.ts";
import { specText } from "./oci_spec.ts";
import { readRun } from "../../../containers/pure/run_flags.ts";
import { seccompProfile } from "./seccomp.ts";
import { buildSpec, type SpecRequest } from "./spec_builder.ts";
import { bindMount, orderMounts, overlayMount } from "./spec_mounts.ts";

function request(line: string, changes: Partial<SpecRequest> = {}): SpecRequest {
  const words = line.split(" ").filter((word) => word !== "");
  return {
    options: readRun([...words, "image"], "hpktainer run", { environment: {} }, () => "")!.options,
    config: {
      user: "",
      env: ["PATH=/image/bin", "LANG=C"],
      entrypoint: [],
      cmd: ["sh"],
      workingDir: "/srv",
      labels: {},
      stopSignal: "",
      exposedPorts: [],
      volumes: [],
    },
    account: { uid: 0, gid: 0, groups: [], home: "/root" },
    command: ["sh"],
    rootfs: "/root-of-it",
    hostname: "web",
    network: { path: "/run/netns/hpk-1" },
    files: { resolvConf: "/f/resolv.conf", hosts: "/f/hosts", hostname: "/f/hostname" },
    mounts: [],
    devices: [],
    capabilities: ["CAP_CHOWN"],
    resources: {},
    hasCgroups: true,
    restrictsDevices: true,
    cgroupsPath: "/hpktainer-1",
    networkVariables: ["HPK_IP=10.96.0.2/24"],
    init: undefined,
    arch: "x86_64",
    ...changes,
  };
}

Deno.test("a container has its own namespaces, files and environment", () => {
  const spec = buildSpec(request("-e LANG=en -e PATH"));
  assertEquals(spec.linux.namespaces, [
    { type: "network", path: "/run/netns/hpk-1" },
    { type: "mount" },
    { type: "uts" },
    { type: "pid" },
    { type: "ipc" },
    { type: "cgroup" },
  ]);
  assertEquals(spec.process.env, [
    "HOSTNAME=web",
    "HOME=/root",
    "LANG=en",
    "HPK_IP=10.96.0.2/24",
  ]);
  assertEquals(spec.process.cwd, "/srv");
  assertEquals(spec.root, { path: "/root-of-it", readonly: false });
  const binds = spec.mounts.filter(({ type }) => type === "bind");
  assertEquals(binds.map(({ source, destination }) => [source, destination]), [
    ["/f/resolv.conf", "/etc/resolv.conf"],
    ["/f/hosts", "/etc/hosts"],
    ["/f/hostname", "/etc/hostname"],
  ]);
  assert(spec.linux.maskedPaths.includes("/proc/kcore"));
  assertEquals(spec.process.capabilities, {
    bounding: ["CAP_CHOWN"],
    effective: ["CAP_CHOWN"],
    permitted: ["CAP_CHOWN"],
  });
});

Deno.test("networks none and host differ only in the namespace", () => {
  const kinds = (network: SpecRequest["network"]) => {
    const { linux } = buildSpec(request("", { network }));
    return [linux.namespaces.filter(({ type }) => type === "network"), Object.keys(linux.sysctl)];
  };
  assertEquals(kinds("own")[0], [{ type: "network" }]);
  assertEquals(kinds("host"), [[], []]);
});

Deno.test("options change the specification", () => {
  const cases: [line: string, take: (spec: ReturnType<typeof buildSpec>) => unknown, unknown][] = [
    ["-w /w", ({ process }) => process.cwd, "/w"],
    ["--read-only", ({ root }) => root.readonly, true],
    ["-t", ({ process }) => [process.terminal, process.env.includes("TERM=xterm")], [true, true]],
    ["--pid host", ({ linux }) => linux.namespaces.some(({ type }) => type === "pid"), false],
    ["--privileged", ({ linux }) => [linux.maskedPaths, linux.seccomp], [[], undefined]],
    ["--oom-score-adj 5", ({ process }) => process.oomScoreAdj, 5],
    ["--security-opt no-new-privileges", ({ process }) => process.noNewPrivileges, true],
    ["--sysctl a.b=1", ({ linux }) => linux.sysctl["a.b"], "1"],
    [
      "--shm-size 1m",
      ({ mounts }) => mounts.find(({ destination }) => destination === "/dev/shm")?.options.at(-1),
      "size=1048576",
    ],
  ];
  for (const [line, take, expected] of cases) {
    assertEquals(take(buildSpec(request(line))), expected, line);
  }
  const spec = buildSpec(request("--init", { init: "/usr/bin/catatonit" }));
  assertEquals(spec.process.args, ["/run/hpk-init", "--", "sh"]);
});

Deno.test("devices are restricted where possible", () => {
  assert("devices" in buildSpec(request("")).linux.resources);
  const { resources } = buildSpec(request("", { restrictsDevices: false })).linux;
  assertEquals("devices" in resources, false);
});

Deno.test("a limit of -1 is written as the kernel's RLIM_INFINITY", () => {
  const text = specText(buildSpec(request("--ulimit core=5:-1")));
  assert(text.includes('"type":"RLIMIT_CORE","soft":5,"hard":18446744073709551615'), text);
});

Deno.test("a directory is mounted before what is in it, and the user's mount wins", () => {
  const mounts = [
    bindMount("/ours", "/etc/hosts", false),
    bindMount("/deep", "/data/a/b", false),
    bindMount("/users", "/etc/hosts", true),
    bindMount("/data", "/data", false),
  ];
  assertEquals(orderMounts(mounts).map(({ source }) => source), ["/data", "/users", "/deep"]);
  assertEquals(bindMount("/a", "/b", true, ["rshared"]).options, ["rbind", "ro", "rshared"]);
  assertEquals(
    overlayMount("/v", { lower: "/l", upper: "/u", work: "/w" }).options,
    ["lowerdir=/l", "upperdir=/u", "workdir=/w"],
  );
});

Deno.test("capabilities are dropped and added, and those that we lack are reported", () => {
  const own = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"];
  const cases: [line: string, granted: string[], lacking: string[]][] = [
    ["", ["CAP_CHOWN", "CAP_KILL"], []],
    ["--cap-add NET_ADMIN", own, []],
    ["--cap-add SYS_TIME", ["CAP_CHOWN", "CAP_KILL"], ["CAP_SYS_TIME"]],
    ["--cap-drop ALL", [], []],
    ["--cap-drop ALL --cap-add KILL", ["CAP_KILL"], []],
    ["--cap-add ALL --cap-drop KILL", ["CAP_CHOWN", "CAP_NET_ADMIN"], []],
    ["--privileged", own, []],
  ];
  for (const [line, granted, lacking] of cases) {
    const { security } = request(line).options;
    assertEquals(planCapabilities(security, own), { granted, lacking }, line);
  }
});

Deno.test("the seccomp filter follows the capabilities", () => {
  const refused = (capabilities: string[]) =>
    seccompProfile(capabilities, "x86_64").syscalls.flatMap(({ names }) => names);
  assert(refused([]).includes("mount"));
  assert(refused([]).includes("clone3"));
  assert(!refused(["CAP_SYS_ADMIN"]).includes("mount"));
  assert(!refused(["CAP_SYS_ADMIN"]).includes("clone"));
  assert(refused(["CAP_SYS_ADMIN"]).includes("keyctl"));
  const clones = seccompProfile([], "aarch64").syscalls.flatMap(({ args }) => args ?? []);
  assertEquals(clones.length, 7);
  assertEquals(clones.map(({ value }) => value).includes(0x10000000), true);
  assertNotEquals(seccompProfile([], "x86_64").architectures, []);
});
