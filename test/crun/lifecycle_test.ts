/**
 * Containers that outlive the command that starts them, by Docker's commands.
 *
 *     hpktainer container run -d ── conmon ── the container's command
 *                         logs, exec, stop, start, wait, rm … ──┘
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  eventuallySame,
  ociImages,
  type PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER } from "../harness/hpktainer.ts";
import { BUSY, container, crunHost, crunNeeds, ok, run } from "../harness/crun.ts";

async function detach(host: PrivateHost, ...args: string[]): Promise<string> {
  const id = (await ok(host, ["run", "--runtime", "crun", "-d", ...args])).trimEnd();
  assertMatch(id, /^[0-9a-f]{12}$/);
  return id;
}

async function inspect(host: PrivateHost, name: string) {
  return JSON.parse(await ok(host, ["container", "inspect", name]))[0];
}

testIf({
  name: "a container is started, inspected, used, stopped, started again and removed",
  needs: crunNeeds,
}, async (t) => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  const script =
    "echo begun; echo wrong >&2; echo kept >> /file; trap 'echo ended; exit 3' TERM; while :; do sleep 0.05; done";
  const id = await detach(host, "--name", "web", "-l", "tier=front", busybox, "sh", "-c", script);

  await t.step("ls, ps, inspect", async () => {
    assertMatch(await ok(host, ["container", "ls"]), new RegExp(`^${id} .* Up .* web$`, "m"));
    assertEquals(
      await ok(host, ["container", "ls", "-q", "--filter", "label=tier=front"]),
      `${id}\n`,
    );
    assertEquals(await ok(host, ["container", "ls", "-q", "--filter", "name=other"]), "");
    const [listed] = JSON.parse(await ok(host, ["ps", "--json"])).containers;
    assertEquals([listed.name, listed.runtime, listed.state], ["web", "crun", "running"]);
    const shown = await inspect(host, "web");
    assertEquals([shown.Id, shown.State.Status, shown.NetworkSettings.IPAddress], [
      id,
      "running",
      listed.address,
    ]);
    assertEquals((await inspect(host, id.slice(0, 4))).Name, "web");
  });

  await t.step("logs keep the streams apart", async () => {
    await eventually(async () => {
      const { stdout, stderr } = await container(host, ["logs", "web"]);
      return stdout === "begun\n" && stderr === "wrong\n";
    }, { what: "the output", ...BUSY });
    assertMatch(
      await ok(host, ["container", "logs", "-t", "--tail", "1", "web"]),
      /^(\d{4}-\S+ begun\n)?$/,
    );
  });

  await t.step("exec: status, streams, user, environment", async () => {
    assertEquals((await container(host, ["exec", "web", "sh", "-c", "exit 4"])).code, 4);
    assertEquals((await container(host, ["exec", "web", "nosuch"])).code, 127);
    assertEquals((await container(host, ["exec", "web", "/etc/passwd"])).code, 126);
    const { stdout } = await container(host, [
      ...[
        "exec",
        "-i",
        "-u",
        "1000",
        "-e",
        "A=b",
        "-w",
        "/tmp",
        "web",
        "sh",
        "-c",
        "cat; id -u; echo $A; pwd",
      ],
    ], { stdin: "in\n" });
    assertEquals(stdout, "in\n1000\nb\n/tmp\n");
    const { stdout: size } = await host.sh(
      `'${HPKTAINER}' container exec -u 1000 web seq 1 9999 > /run/out; stat -c '%s %u' /run/out; rm /run/out`,
    );
    assertEquals(size, "48888 0\n");
  });

  await t.step("a name is unique", async () => {
    const { code, stderr } = await run(host, ["-d", "--name", "web", busybox, "true"]);
    assertEquals(code, 125);
    assertMatch(stderr, /cannot name the container 'web': a container of that name exists/);
  });

  await t.step("an image in use is not removed", async () => {
    const { code, stderr } = await hpk(host, ["image", "rm", busybox], BUSY);
    assert(code !== 0);
    assertMatch(stderr, /web/);
  });

  await t.step("stop, wait, logs, start, restart", async () => {
    assertEquals(await ok(host, ["container", "stop", "web"]), "web\n");
    assertEquals(await ok(host, ["container", "wait", "web"]), "3\n");
    assertEquals((await inspect(host, "web")).State.ExitCode, 3);
    assertEquals(await ok(host, ["container", "ls", "-q"]), "");
    assertMatch(await ok(host, ["container", "ls", "-a"]), /Exited \(3\)/);
    assertEquals(await ok(host, ["ps"]).then((text) => text.split("\n").length), 2);
    await ok(host, ["container", "start", "web"]);
    await eventually(
      async () =>
        (await container(host, ["exec", "web", "cat", "/file"])).stdout === "kept\nkept\n",
      { what: "the second run", ...BUSY },
    );
    await ok(host, ["container", "restart", "-t", "5", "web"]);
    assertEquals((await inspect(host, "web")).State.Running, true);
  });

  await t.step("kill and rm", async () => {
    assertEquals((await container(host, ["rm", "web"])).code, 1);
    await ok(host, ["container", "kill", "-s", "TERM", "web"]);
    assertEquals(await ok(host, ["container", "wait", "web"]), "3\n");
    await ok(host, ["container", "rm", "web"]);
    assertEquals(await ok(host, ["container", "ls", "-aq"]), "");
    assertEquals((await container(host, ["logs", "web"])).code, 125);
  });

  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "logs -f follows to the end, wait sees it, and --rm leaves nothing",
  needs: crunNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  await host.sh("mkdir /run/flag");
  const script =
    "echo one; while [ ! -e /flag/go ]; do sleep 0.05; done; seq 1 5000; printf last; exit 5";
  await detach(host, "--rm", "--name", "job", "-v", "/run/flag:/flag", busybox, "sh", "-c", script);
  await using logs = await host.spawn(HPKTAINER, ["container", "logs", "-f", "job"]);
  await using waiting = await host.spawn(HPKTAINER, ["container", "wait", "job"]);
  await logs.waitFor(/^one$/m, { stream: "stdout", ...BUSY });
  // A process that waits has a descriptor of the one it waits for.
  const waits = `for p in /proc/[0-9]*; do
    if tr '\\0' ' ' < $p/cmdline | grep -q 'container wait job '; then ls -l $p/fd; fi
  done 2>/dev/null; true`;
  await eventually(async () => (await host.sh(waits)).stdout.includes("pidfd"), {
    what: "container wait to wait",
    ...BUSY,
  });
  await host.sh("touch /run/flag/go");
  const { stdout, code } = await logs.wait(BUSY);
  assertEquals([code, stdout.split("\n").length, stdout.slice(-9)], [0, 5002, "5000\nlast"]);
  assertEquals((await waiting.wait(BUSY)).stdout, "5\n");
  await host.sh("rm -r /run/flag");
  await eventuallySame(host, before, BUSY);
  assertEquals(await ok(host, ["container", "ls", "-aq"]), "");
});

testIf({
  name: "create, start -a and prune",
  needs: crunNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  const id = (await ok(host, [
    "container",
    "create",
    "--name",
    "later",
    busybox,
    "sh",
    "-c",
    "echo ran; exit 8",
  ])).trimEnd();
  assertMatch(
    await ok(host, ["container", "ls", "-a"]),
    new RegExp(`^${id} .*Created .* later$`, "m"),
  );
  const { code, stdout } = await container(host, ["start", "-a", "later"]);
  assertEquals([code, stdout], [8, "ran\n"]);
  assertEquals(await ok(host, ["container", "prune"]), `${id}\n`);
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "a reboot ends containers: kept ones can be started again, the others are gone",
  needs: crunNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  // The disk of a reboot: what was mounted is gone with the host, so it lies below /run's layers.
  const kept = await detach(host, "--name", "kept", busybox, "sleep", "1000");
  await detach(host, "--rm", "--name", "gone", busybox, "sleep", "1000");
  await host.sh(
    "rm -rf /run/hpktainer; pkill -9 -x conmon; pkill -9 -x sleep; ip netns list | cut -d' ' -f1 | xargs -rn1 ip netns delete; ip link delete hpk-bridge",
  );
  await ok(host, ["gc"]);
  assertEquals(await ok(host, ["container", "ls", "-aq"]), `${kept}\n`);
  await ok(host, ["container", "start", "kept"]);
  assertMatch(await ok(host, ["container", "ls"]), /Up .* kept/);
  await ok(host, ["container", "rm", "-f", "kept"]);
});
