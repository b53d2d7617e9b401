/**
 * What the product relies on in Apptainer, run as root with a named namespace:
 *
 *     host "alpha" ── /run/netns/pod ◄── apptainer exec --netns-path … IMAGE command
 */
import { assert, assertEquals } from "@std/assert";
import {
  apptainer,
  apptainerEnv,
  busybox,
  eventually,
  findProgram,
  images,
  PrivateHost,
  privateHosts,
  type RunResult,
  testIf,
} from "../harness/mod.ts";

const needs = [...privateHosts, apptainer, busybox];
const POD = ["exec", "--netns-path", "/run/netns/pod"];

async function hostWithPod(): Promise<PrivateHost> {
  const host = await PrivateHost.create({ name: "alpha" });
  await host.sh("ip netns add pod; ip -n pod link set lo up");
  return host;
}

function exec(
  host: PrivateHost,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<RunResult> {
  return host.run("apptainer", [...POD, ...args], {
    env: { ...apptainerEnv(), ...env },
    check: false,
  });
}

testIf(
  { name: "apptainer exec runs in the named namespace and passes exit codes on", needs },
  async () => {
    const { base } = await images();
    await using host = await hostWithPod();
    await host.sh("ip -n pod addr add 10.96.0.2/32 dev lo");
    const seen = await exec(host, [base, "ip", "addr", "show", "lo"]);
    assert(seen.stdout.includes("10.96.0.2/32"), seen.stdout);
    assertEquals((await exec(host, [base, "sh", "-c", "exit 7"])).code, 7);
    assertEquals((await exec(host, [base, "sh", "-c", "kill -TERM $$"])).code, 143);
  },
);

testIf({ name: "Apptainer's own errors exit with 255", needs }, async () => {
  const { base } = await images();
  await using host = await hostWithPod();
  for (const args of [[base, "nosuch"], ["/nonexistent.sif", "true"]]) {
    const { code, stderr } = await exec(host, args);
    assertEquals(code, 255);
    assert(stderr.includes("FATAL"), stderr);
  }
});

testIf({ name: "TERM to apptainer ends the command, and apptainer with 143", needs }, async () => {
  const { base } = await images();
  await using host = await hostWithPod();
  const args = [...POD, base, "sh", "-c", "echo up; exec sleep 60"];
  await using process = await host.spawn("apptainer", args, { env: apptainerEnv() });
  await process.waitFor(/up/);
  process.signal("SIGTERM");
  assertEquals((await process.wait({ timeoutMs: 5_000 })).code, 143);
});

testIf(
  { name: "a handled signal reaches the command, whose exit code comes back", needs },
  async () => {
    const { base } = await images();
    await using host = await hostWithPod();
    const script = "trap 'exit 9' USR1; echo up; while :; do sleep 0.05; done";
    await using process = await host.spawn("apptainer", [...POD, base, "sh", "-c", script], {
      env: apptainerEnv(),
    });
    await process.waitFor(/up/);
    process.signal("SIGUSR1");
    assertEquals((await process.wait({ timeoutMs: 5_000 })).code, 9);
  },
);

testIf({ name: "KILL to apptainer ends the command too", needs }, async () => {
  const { base } = await images();
  await using host = await hostWithPod();
  await using process = await host.spawn("apptainer", [
    ...POD,
    base,
    "sh",
    "-c",
    "echo up; exec sleep 61",
  ], {
    env: apptainerEnv(),
  });
  await process.waitFor(/up/);
  process.signal("SIGKILL");
  await process.wait({ timeoutMs: 5_000 });
  await eventually(
    async () =>
      (await host.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).stdout.match(
        /^sleep 61| sleep 61/,
      ) === null,
    { what: "end of the command" },
  );
});

testIf(
  { name: "resolv.conf and hosts can be bound into any image, without more flags", needs },
  async () => {
    const { base, sandbox, rootfs, scratch } = await images();
    await using host = await hostWithPod();
    await host.sh("echo 'nameserver 192.0.2.1' > /run/resolv; echo '10.96.0.2 pod' > /run/hosts");
    const binds = [
      "--bind",
      "/run/resolv:/etc/resolv.conf:ro",
      "--bind",
      "/run/hosts:/etc/hosts:ro",
    ];
    const read = ["/bin/busybox", "cat", "/etc/resolv.conf", "/etc/hosts"];
    for (const image of [base, sandbox, rootfs, scratch]) {
      for (const more of [[], ["--contain"], ["--writable-tmpfs"]]) {
        const { code, stdout } = await exec(host, [...more, ...binds, image, ...read]);
        assertEquals(
          [code, stdout],
          [0, "nameserver 192.0.2.1\n10.96.0.2 pod\n"],
          `${image} ${more}`,
        );
      }
    }
    const write = ["/bin/busybox", "sh", "-c", "echo x >> /etc/hosts"];
    const { code, stderr } = await exec(host, [...binds, scratch, ...write]);
    assertEquals(code, 1);
    assert(stderr.includes("Read-only file system"), stderr);
  },
);

testIf(
  { name: "--hostname names the container only, with an /etc/hostname, in any image", needs },
  async () => {
    const { base, scratch } = await images();
    await using host = await hostWithPod();
    for (const image of [base, scratch]) {
      const script = [
        "/bin/busybox",
        "sh",
        "-c",
        "/bin/busybox hostname; /bin/busybox cat /etc/hostname",
      ];
      const { stdout } = await exec(host, ["--hostname", "pod-1", image, ...script]);
      assertEquals(stdout, "pod-1\npod-1\n");
    }
    assertEquals((await host.run("hostname")).stdout, "alpha\n");
  },
);

testIf(
  { name: "APPTAINERENV_X is X inside, before the host's X, and survives --cleanenv", needs },
  async () => {
    const { base } = await images();
    await using host = await hostWithPod();
    const env = { APPTAINERENV_X: "ours", X: "theirs", Y: "host" };
    const show = [base, "sh", "-c", "echo $X,$Y"];
    assertEquals((await exec(host, show, env)).stdout, "ours,host\n");
    assertEquals((await exec(host, ["--cleanenv", ...show], env)).stdout, "ours,\n");
  },
);

testIf({ name: "a dollar in APPTAINERENV_X is evaluated unless --no-eval", needs }, async () => {
  const { base } = await images();
  await using host = await hostWithPod();
  const env = { APPTAINERENV_X: "a$((1+1))" };
  assertEquals((await exec(host, [base, "sh", "-c", "echo $X"], env)).stdout, "a2\n");
  const kept = await exec(host, ["--no-eval", base, "sh", "-c", "echo $X"], env);
  assertEquals(kept.stdout, "a$((1+1))\n");
});

const START = ["instance", "start", "--netns-path", "/run/netns/pod", "--hostname", "pod-1"];

testIf({ name: "an instance keeps its namespace and host name", needs }, async () => {
  const { base } = await images();
  await using host = await hostWithPod();
  const env = apptainerEnv();
  await host.run("apptainer", [...START, base, "one"], { env });
  const list = await host.run("apptainer", ["instance", "list", "-j", "one"], { env });
  const [{ pid }] = JSON.parse(list.stdout).instances;
  assertEquals((await host.run("ip", ["netns", "identify", String(pid)])).stdout, "pod\n");
  const named = await host.run("apptainer", ["exec", "instance://one", "hostname"], { env });
  assertEquals(named.stdout, "pod-1\n");
  await host.run("apptainer", ["instance", "stop", "one"], { env });
});

testIf(
  { name: "an instance of an image without a shell needs another start script", needs },
  async () => {
    const { scratch } = await images();
    await using host = await hostWithPod();
    const env = apptainerEnv();
    const refused = await host.run("apptainer", [...START, scratch, "two"], { env, check: false });
    assertEquals(refused.code, 255);
    assert(refused.stderr.includes("startscript failed"), refused.stderr);
    // Any program will do, as the instance goes on whatever its start script exits with.
    const script = `${findProgram("busybox")}:/.singularity.d/startscript`;
    await host.run("apptainer", [...START, "--bind", script, scratch, "two"], { env });
    const args = ["exec", "instance://two", "/bin/busybox", "hostname"];
    assertEquals((await host.run("apptainer", args, { env })).stdout, "pod-1\n");
  },
);

testIf(
  { name: "a plain directory runs, but an instance of it needs another start action", needs },
  async () => {
    const { rootfs } = await images();
    await using host = await hostWithPod();
    const refused = await host.run("apptainer", [...START, rootfs, "one"], {
      env: apptainerEnv(),
      check: false,
    });
    assertEquals(refused.code, 255);
    assert(refused.stderr.includes("actions/start failed"), refused.stderr);
    assertEquals((await exec(host, [rootfs, "hostname"])).stdout, "alpha\n");
    const script = `${findProgram("busybox")}:/.singularity.d/actions/start`;
    await host.run("apptainer", [...START, "--bind", script, rootfs, "one"], {
      env: apptainerEnv(),
    });
  },
);
