import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { RUN_FLAGS } from "./flag_table.ts";
import { readRun, type RunOptions } from "./run_flags.ts";
import { execHelp, runHelp } from "./run_help.ts";

const caller = {
  environment: { HOME: "/root", LANG: "C.UTF-8" },
};

const readFile = (_option: string, path: string): string =>
  path === "/list" ? "# comment\nA=1\n\nHOME\nNOT_SET\n" : "{";

function read(line: string) {
  return readRun(line.split(" "), "hpktainer run", caller, readFile)!;
}

function options(line: string): RunOptions {
  return read(`${line} image`).options;
}

Deno.test("options end at the image", () => {
  const cases: [line: string, image: string, args: string[]][] = [
    ["alpine", "alpine", []],
    ["alpine ls -la", "alpine", ["ls", "-la"]],
    ["-it alpine sh -c x", "alpine", ["sh", "-c", "x"]],
    ["--rm -e A=1 -eB=2 -v /a:/b alpine ping -c 3", "alpine", ["ping", "-c", "3"]],
    ["-m 256m --cpus 0.5 alpine --help", "alpine", ["--help"]],
    ["--net=host -- alpine", "alpine", []],
    ["--entrypoint /bin/sh alpine -c x", "alpine", ["-c", "x"]],
  ];
  for (const [line, image, args] of cases) {
    const request = read(line);
    assertEquals([request.image, request.args], [image, args], line);
  }
  assertEquals(readRun(["--help"], "hpktainer run", caller, readFile), undefined);
});

Deno.test("switches are read as Docker reads them", () => {
  const cases: [line: string, expected: Partial<RunOptions>][] = [
    ["", { interactive: false, terminal: false, detach: false, remove: true }],
    ["-it", { interactive: true, terminal: true }],
    ["-i=false -t=true", { interactive: false, terminal: true }],
    ["-d", { detach: true, remove: false }],
    ["-d --rm", { detach: true, remove: true }],
    ["--rm=false", { remove: false }],
    ["--init --read-only", { init: true, readOnly: true }],
    ["--sig-proxy=false", { forwardSignals: false }],
    ["-w /srv", { workingDirectory: "/srv" }],
    ["-u 1000:1000", { user: "1000:1000" }],
    ["-l a=b --label c", { labels: { a: "b", c: "" } }],
    ["-e A=1 -e LANG -e NOT_SET", { environment: ["A=1", "LANG=C.UTF-8", "NOT_SET"] }],
    ["--env-file /list -e A=2", { environment: ["A=1", "HOME=/root", "NOT_SET", "A=2"] }],
    ["--add-host db:192.0.2.7", { extraHosts: [["192.0.2.7", "db"]] }],
    ["--add-host v6:2001:db8::1", { extraHosts: [["2001:db8::1", "v6"]] }],
    ["--sysctl net.core.somaxconn=64", { sysctls: { "net.core.somaxconn": "64" } }],
    ["--shm-size 1g", { sharedMemory: 2 ** 30 }],
    ["--pid host --ipc host", { hostProcesses: true, hostIpc: true }],
    ["--pull never", { pull: "never" }],
    ["--stop-signal INT --stop-timeout 3", { stopSignal: "INT", stopTimeout: 3 }],
  ];
  for (const [line, expected] of cases) {
    const read = options(line.trim() === "" ? "--quiet" : line);
    for (const [key, value] of Object.entries(expected)) {
      assertEquals(read[key as keyof RunOptions], value, `${line}: ${key}`);
    }
  }
});

Deno.test("a container that is created only is kept, unless --rm is given", () => {
  const remove = (...words: string[]) =>
    readRun([...words, "image"], "hpktainer container create", caller, readFile)!.options.remove;
  assertEquals([remove(), remove("--rm")], [false, true]);
});

Deno.test("networks have Docker's names and ours", () => {
  const cases: [line: string, expected: unknown][] = [
    ["--net none", { network: "none" }],
    ["--network=host", { network: "host" }],
    ["--net bridge", {}],
    ["--network static --subnet 10.1.0.0/24", { network: "static", subnet: "10.1.0.0/24" }],
    ["-p 8080:80 -p 53/udp --isolated", { publish: "8080:80,0:53/udp", isolated: "yes" }],
    ["--dns 192.0.2.1 --dns 192.0.2.2", { dns: "192.0.2.1,192.0.2.2" }],
  ];
  for (const [line, expected] of cases) {
    assertEquals<unknown>(options(line).network.settings, expected, line);
  }
  assertEquals(options("--ip 10.1.0.9 --name web").network.ip, "10.1.0.9");
});

Deno.test("limits are read with their units", () => {
  const none = {
    memory: undefined,
    memorySwap: undefined,
    cpus: undefined,
    cpuShares: undefined,
    cpuset: undefined,
    pids: undefined,
    rlimits: [],
    oomScore: undefined,
  };
  const cases: [line: string, expected: Partial<RunOptions["limits"]>][] = [
    ["--quiet", {}],
    ["-m 256m", { memory: 268435456 }],
    ["-m 1.5G", { memory: 1610612736 }],
    ["-m 8388608", { memory: 8388608 }],
    ["-m 8192k --memory-swap -1", { memory: 8388608, memorySwap: -1 }],
    ["-m 64MiB --memory-swap 128mb", { memory: 67108864, memorySwap: 134217728 }],
    ["--cpus .5", { cpus: 0.5 }],
    ["--cpuset-cpus 0-1,3 -c 512", { cpuset: "0-1,3", cpuShares: 512 }],
    ["--pids-limit 20", { pids: 20 }],
    ["--pids-limit -1", {}],
    ["--ulimit nofile=1024:4096 --ulimit core=-1", {
      rlimits: [
        { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 },
        { type: "RLIMIT_CORE", soft: -1, hard: -1 },
      ],
    }],
  ];
  for (const [line, expected] of cases) {
    assertEquals(options(line).limits, { ...none, ...expected }, line);
  }
});

Deno.test("mounts are read in their three forms", () => {
  const bind = { kind: "bind", readOnly: false, options: [] as string[] };
  const cases: [line: string, expected: unknown][] = [
    ["-v ./data:/data:ro", { ...bind, source: "./data", target: "/data", readOnly: true }],
    ["-v /a:/b/../c/:RW", { ...bind, source: "/a", target: "/c" }],
    ["-v /a:/b:ro,rshared,z", {
      ...bind,
      source: "/a",
      target: "/b",
      readOnly: true,
      options: ["rshared"],
    }],
    ["-v /data", { kind: "anonymous", target: "/data" }],
    ["--tmpfs /run:size=1m,mode=700", {
      kind: "tmpfs",
      target: "/run",
      options: ["size=1m", "mode=700"],
    }],
    ["--mount type=bind,source=/a,target=/b,readonly", {
      ...bind,
      source: "/a",
      target: "/b",
      readOnly: true,
    }],
    ["--mount type=tmpfs,dst=/t,tmpfs-size=1m", {
      kind: "tmpfs",
      target: "/t",
      options: ["size=1048576"],
    }],
  ];
  for (const [line, expected] of cases) {
    assertEquals<unknown>(options(line).volumes, [expected], line);
  }
});

Deno.test("security options are read", () => {
  const { security } = options(
    "--cap-add net_admin --cap-drop CAP_CHOWN --cap-drop all --security-opt no-new-privileges",
  );
  assertEquals(security, {
    privileged: false,
    addedCapabilities: ["CAP_NET_ADMIN"],
    droppedCapabilities: ["CAP_CHOWN", "ALL"],
    noNewPrivileges: true,
    seccomp: "default",
  });
  assertEquals(options("--privileged").security.seccomp, "unconfined");
});

Deno.test("invalid options are reported in one line", () => {
  const cases: [line: string, message: RegExp][] = [
    ["--nosuch image", /cannot understand --nosuch: 'hpktainer run' has no such option/],
    ["-iZ image", /cannot understand -Z/],
    ["--restart always image", /cannot use --restart: hpktainer has no daemon/],
    ["--gpus all image", /cannot use --gpus/],
    ["-it", /no image is named/],
    ["-e", /cannot use -e: it needs a value/],
    ["-e =x image", /it has no name/],
    ["--rm=maybe image", /it is on or off/],
    ["-v a:b image", /the path in the container is not absolute: 'b'/],
    ["-v a:/b:ro:x image", /more than three parts/],
    ["-v a:/b:rx image", /'rx' is not a mode/],
    ["-v :/b image", /the source is empty/],
    ["-v a:/ image", /the root cannot be replaced/],
    ["-v a:/x -v b:/x/ image", /cannot mount two things at \/x/],
    ["--mount type=volume,source=v,target=/v image", /named volumes are not supported/],
    ["--mount type=bind,target=/v image", /it has no source/],
    ["--mount type=bind,source=/a,target=/v,colour=red image", /'colour' is not a known key/],
    ["-m -5m image", /it is not a size/],
    ["-m 1m image", /no container starts with so little/],
    ["--memory-swap 1g image", /-m is not given/],
    ["--cpus 0 image", /not a number of CPUs/],
    ["--cpus x image", /not a number of CPUs/],
    ["--pids-limit many image", /it is not a number in the valid range/],
    ["--ulimit nofile=5:4 image", /the soft limit is above the hard one/],
    ["--ulimit files=5 image", /it is not a resource limit/],
    ["--cap-add FLY image", /there is no such capability/],
    ["--security-opt seccomp=/broken image", /it is not a seccomp profile/],
    ["--security-opt apparmor=x image", /AppArmor profiles/],
    ["-w srv image", /not absolute/],
    ["--hostname a_b image", /cannot use the host name 'a_b'/],
    ["--name a/b image", /cannot name a container 'a\/b'/],
    ["--net container:x image", /containers cannot share a network/],
    ["--pid container:x image", /uses the host's or its own/],
    ["--pull sometimes image", /there is no such policy/],
    ["--add-host nowhere image", /it is not a name and an address/],
  ];
  for (const [line, message] of cases) {
    const { message: said } = assertThrows(() => read(line), HpkError);
    assertMatch(said, message, line);
    assertEquals(said.includes("\n"), false);
  }
});

Deno.test("every option has a help line or a reason, and one name", () => {
  const names = RUN_FLAGS.flatMap(({ name, letter }) => [name, ...(letter ? [`-${letter}`] : [])]);
  assertEquals(new Set(names).size, names.length);
  for (const flag of RUN_FLAGS) {
    assertEquals(flag.help === undefined, flag.refused !== undefined, flag.name);
  }
  assertMatch(runHelp("run"), /-i, --interactive +keep standard input open/);
  assertMatch(runHelp("create"), /Usage: hpktainer container create/);
  assertMatch(execHelp(), /-u, --user USER/);
});
