/**
 * An instance runs on after its start; its network exists as long as its first process:
 *
 *     hpktainer instance start ── apptainer ── starter ── first process of the instance (owner in the ledger)
 *     monitor ─────────────────────────── pidfd ─────────┘
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  apptainerEnv,
  eventually,
  eventuallySame,
  images,
  openPty,
  PrivateHost,
  program,
  type RunResult,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { monitorPids } from "../harness/processes.ts";

const START = ["instance", "start", "--subnet", SUBNET] as const;

interface Container {
  name: string;
  state: string;
  kind: string;
  address: string;
  pid: number;
}

async function ps(host: PrivateHost): Promise<Container[]> {
  return JSON.parse((await host.run(HPKTAINER, ["ps", "--json"])).stdout).containers;
}

/** Names of the instances that Apptainer itself knows. */
async function instances(host: PrivateHost): Promise<string[]> {
  const { stdout } = await hpk(host, ["instance", "list", "-j"]);
  return JSON.parse(stdout).instances.map(({ instance }: { instance: string }) => instance);
}

async function start(host: PrivateHost, name: string, ...options: string[]): Promise<RunResult> {
  const { base } = await images();
  return await host.run(HPKTAINER, [...START, ...options, base, name]);
}

/** A host whose Apptainer was used once, so that its own logs and directories exist. */
async function usedHost(): Promise<{ host: PrivateHost; before: Snapshot }> {
  const { base } = await images();
  const host = await PrivateHost.create();
  const env = apptainerEnv();
  await host.run("apptainer", ["instance", "start", base, "first"], { env });
  await host.run("apptainer", ["instance", "stop", "first"], { env });
  const { stdout } = await host.sh("ls /run");
  assertEquals(stdout.includes("hpktainer"), false);
  return { host, before: await snapshot(host) };
}

testIf({
  name:
    "defect 2: the network of an instance exists until it is stopped, which releases it at once",
  needs,
}, async () => {
  const { host, before } = await usedHost();
  await using _ = host;
  const { code, stdout, pipesHeld } = await start(host, "web");
  assertEquals([code, stdout, pipesHeld], [0, "", false]);
  const [web] = await ps(host);
  assertEquals([web?.name, web?.kind, web?.state], ["web", "instance", "running"]);
  for (let round = 0; round < 2; round++) {
    await host.run("busybox", ["ping", "-c", "1", "-W", "2", web!.address]);
    await host.run(HPKTAINER, ["gc"]);
  }
  const { stdout: listed } = await host.run(HPKTAINER, ["instance", "list"]);
  assertMatch(listed, new RegExp(`^web\\s+${web!.pid}\\s`, "m"));
  // No waiting: stop itself releases the network, whatever the monitor is doing.
  const monitors = monitorPids(host).map(String);
  assertEquals(monitors.length, 1);
  await host.run("kill", ["-STOP", ...monitors]);
  await host.run(HPKTAINER, ["instance", "stop", "web"]);
  assertEquals(await ps(host), []);
  const { stdout: left } = await host.sh("ip -o link; ip netns; iptables-save; ls /run");
  assert(!left.includes("hpk"), left);
  await host.run("kill", ["-CONT", ...monitors]);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "an instance that dies, or that apptainer itself stops, is released automatically",
  needs,
}, async () => {
  const { host, before } = await usedHost();
  await using _ = host;
  const ends: Record<string, (pid: number) => Promise<unknown>> = {
    "kill -9": (pid) => host.run("kill", ["-9", String(pid)]),
    "apptainer instance stop": () =>
      host.run("apptainer", ["instance", "stop", "web"], { env: apptainerEnv() }),
    "apptainer instance stop --force": () =>
      host.run("apptainer", ["instance", "stop", "--force", "web"], { env: apptainerEnv() }),
  };
  for (const [what, end] of Object.entries(ends)) {
    await start(host, "web");
    const [web] = await ps(host);
    await end(web!.pid);
    await eventually(async () => (await ps(host)).length === 0, {
      what: `release after ${what}`,
      ...PATIENT,
    });
    await eventuallySame(host, before, PATIENT);
  }
});

testIf({
  name: "defect 3: exec, run and shell of instance://NAME join its network",
  needs: [...needs, program("script")],
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await host.sh(writeScript("/run/program", 'exec "$@"'));
  const bind = ["--bind", "/run/program:/.singularity.d/runscript"];
  await start(host, "web", "--ip", "10.96.0.77", ...bind);
  for (const verb of ["exec", "run"]) {
    const args = [verb, "instance://web", "ip", "address", "show", "eth0"];
    const { code, stdout } = await hpk(host, args);
    assertEquals(code, 0, verb);
    assertMatch(stdout, /inet 10\.96\.0\.77\/24 /, verb);
  }
  {
    await using shell = await openPty(host, HPKTAINER, ["shell", "instance://web"]);
    await shell.readUntil(/Apptainer> /, PATIENT);
    await shell.write("ip address show eth0; exit 6\r");
    await shell.readUntil(/inet 10\.96\.0\.77\/24 /, PATIENT);
    assertEquals(await shell.waitExit(PATIENT), 6);
  }
  // A run at the same time is another container; both reach each other.
  const exec = ["exec", "--subnet", SUBNET, base, "ping", "-c", "1", "-W", "2", "10.96.0.77"];
  assertEquals((await hpk(host, exec)).code, 0);
  assertEquals((await hpk(host, ["exec", "instance://web", "sh", "-c", "exit 9"])).code, 9);
  assertEquals((await ps(host)).filter(({ kind }) => kind === "instance").length, 1);
  await host.run(HPKTAINER, ["instance", "stop", "web"]);
});

/** Starts that fail: preparation, command line and exit status. */
const FAILURES: readonly {
  what: string;
  before?: string;
  args: (image: Record<"base" | "rootfs" | "scratch", string>) => readonly string[];
  status: number;
  says: RegExp;
}[] = [
  {
    what: "an image that is none",
    before: "echo none >/run/none.sif",
    args: () => ["/run/none.sif", "bad"],
    status: 255,
    says: /FATAL/,
  },
  {
    what: "an image without Apptainer's start action",
    args: ({ rootfs }) => [rootfs, "bad"],
    status: 255,
    says: /actions\/start/,
  },
  {
    what: "an image whose start script cannot run",
    args: ({ scratch }) => [scratch, "bad"],
    status: 255,
    says: /startscript failed/,
  },
  {
    what: "a name that Apptainer has",
    before: 'apptainer instance start "$BASE" taken',
    args: ({ base }) => [base, "taken"],
    status: 255,
    says: /already exists/,
  },
  {
    what: "a bind of a file that does not exist",
    args: ({ base }) => ["--bind", "/nonexistent:/mnt", base, "bad"],
    status: 255,
    says: /FATAL/,
  },
];

testIf({
  name: "a start that fails returns Apptainer's status and message, and leaves nothing",
  needs,
}, async () => {
  const image = await images();
  const { host } = await usedHost();
  await using _ = host;
  for (const { what, before, args, status, says } of FAILURES) {
    if (before !== undefined) {
      await host.sh(before, { env: { ...apptainerEnv(), BASE: image.base } });
    }
    const was = await snapshot(host);
    const { code, stdout, stderr } = await hpk(host, [...START, ...args(image)]);
    assertEquals([code, stdout], [status, ""], `${what}: ${stderr}`);
    assertMatch(stderr, says, what);
    assertEquals(await ps(host), [], what);
    await eventuallySame(host, was, PATIENT);
  }
});

/** Writes what the script sees of its network to /mnt/seen, then continues. */
const TELL = "{ echo $HPK_IP $HPK_GATEWAY_IP $1; ping -c 1 -W 2 $HPK_GATEWAY_IP >/dev/null && " +
  "echo reached; } >/mnt/new; mv /mnt/new /mnt/seen; exec sleep 600";

/**
 * A command line of a shell that makes an executable script, and the directory /run/out for its
 * output.
 */
function writeScript(path: string, script: string): string {
  return `mkdir -p /run/out; cat >${path} <<'END'\n#!/bin/sh\n${script}\nEND\nchmod +x ${path}`;
}

async function readSeen(host: PrivateHost): Promise<string> {
  const path = `${host.root}/run/out/seen`;
  return await eventually(() => Deno.readTextFileSync(path), {
    what: "what the script saw",
    ...PATIENT,
  });
}

testIf({ name: "the start script of an instance sees its network", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await host.sh(writeScript("/run/start", TELL));
  const binds = ["--bind", "/run/start:/.singularity.d/startscript,/run/out:/mnt"];
  await host.run(HPKTAINER, [...START, ...binds, base, "web", "argument"]);
  assertEquals(await readSeen(host), "10.96.0.2/24 10.96.0.1 argument\nreached\n");
  await host.run(HPKTAINER, ["instance", "stop", "web"]);
});

testIf({
  name: "instance run runs the image's own program in the background, on the network",
  needs,
}, async () => {
  const { base } = await images();
  const { host, before } = await usedHost();
  await using _ = host;
  await host.sh(writeScript("/run/program", TELL));
  const binds = ["--bind", "/run/program:/.singularity.d/runscript,/run/out:/mnt"];
  const run = ["instance", "run", "--subnet", SUBNET, ...binds, base, "job", "argument"];
  await host.run(HPKTAINER, run);
  assertEquals(await readSeen(host), "10.96.0.2/24 10.96.0.1 argument\nreached\n");
  const [job] = await ps(host);
  assertEquals([job?.name, job?.kind], ["job", "instance"]);
  await host.run("busybox", ["ping", "-c", "1", "-W", "2", job!.address]);
  await host.run(HPKTAINER, ["instance", "stop", "job"]);
  await host.sh("rm -r /run/out /run/program");
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "the user's --pid-file is written, and hpktainer follows the instance by it",
  needs,
}, async () => {
  const { host, before } = await usedHost();
  await using _ = host;
  await start(host, "web", "--pid-file", "/run/web.pid");
  const [web] = await ps(host);
  assertEquals((await host.sh("cat /run/web.pid")).stdout.trim(), String(web?.pid));
  await host.sh("kill -9 $(cat /run/web.pid); rm -f /run/web.pid");
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "instance stop --all stops and releases every instance, and leaves a run alone",
  needs,
}, async () => {
  const { base } = await images();
  const { host, before } = await usedHost();
  await using _ = host;
  {
    const args = ["exec", "--subnet", SUBNET, "--name", "job", base, "sh", "-c", "echo up; cat"];
    await using run = await host.spawn(HPKTAINER, args);
    await run.waitFor(/up/, PATIENT);
    for (const name of ["one", "two", "three"]) await start(host, name);
    const addresses = new Set((await ps(host)).map(({ address }) => address));
    assertEquals(addresses.size, 4);
    const { code, stderr } = await hpk(host, ["instance", "stop", "--all"]);
    assertEquals(code, 0, stderr);
    assertEquals((await ps(host)).map(({ name }) => name), ["job"]);
    assertEquals(await instances(host), []);
    assert(run.running);
    await run.closeStdin();
    assertEquals((await run.wait()).code, 0);
  }
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "stopping what does not exist, or was not started by hpktainer, is left to Apptainer",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const env = apptainerEnv();
  const bare = await host.run("apptainer", ["instance", "stop", "none"], { env, check: false });
  const ours = await hpk(host, ["instance", "stop", "none"]);
  assertNotEquals(bare.code, 0);
  assertEquals([ours.code, ours.stdout, ours.stderr], [bare.code, bare.stdout, bare.stderr]);
  await start(host, "web");
  await host.run("apptainer", ["instance", "start", base, "theirs"], { env });
  await host.run(HPKTAINER, ["instance", "stop", "theirs"]);
  assertEquals((await ps(host)).map(({ name }) => name), ["web"]);
  const again = await hpk(host, ["instance", "stop", "none"]);
  assertEquals([again.code, again.stderr], [bare.code, bare.stderr]);
  await host.run(HPKTAINER, ["instance", "stop", "web"]);
});
