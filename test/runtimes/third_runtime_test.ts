/**
 * Another runtime takes a directory and a line in each of two tables. The test copies the sources,
 * adds `_toy/` as runtimes/toy and the two lines, and nothing else: the copy must pass the checks,
 * and its program must run, list, stop and clean up the toy's containers.
 *
 *     sources + runtimes/toy + 2 lines ── build ── [ host ] hpktainer run --runtime toy …
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  eventually,
  eventuallySame,
  ociImages,
  type PrivateHost,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk } from "../harness/hpktainer.ts";
import { killMonitor } from "../harness/processes.ts";
import { BUSY, crunHost, crunNeeds } from "../harness/crun.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** How long the copy may take to be checked and built. */
const BUILD = { timeoutMs: 300_000 } as const;

/** The two tables, below packages/hpktainer/src, and the toy's line in each. */
const TABLES: Readonly<Record<string, string>> = {
  "containers/engines/table.ts":
    'toy: async () => (await import("../../runtimes/toy/engine.ts")).toyEngine,',
  "runtimes/table.ts": 'toy: async () => (await import("./toy/toy.ts")).toyRuntime,',
};

/** Copies the sources, and adds the toy to the copy. */
function copyWithToy(root: string): void {
  for (const name of ["deno.json", "packages", "scripts", "test"]) {
    copy(`${ROOT}${name}`, `${root}/${name}`);
  }
  const source = `${root}/packages/hpktainer/src`;
  Deno.mkdirSync(`${source}/runtimes/toy`);
  for (const { name } of Deno.readDirSync(new URL("_toy", import.meta.url))) {
    const text = Deno.readTextFileSync(new URL(`_toy/${name}`, import.meta.url));
    Deno.writeTextFileSync(
      `${source}/runtimes/toy/${name}`,
      text.replaceAll("../../../packages/hpktainer/src/", "../../"),
    );
  }
  for (const [table, line] of Object.entries(TABLES)) {
    const text = Deno.readTextFileSync(`${source}/${table}`);
    const last = /^ {2}\w+: async .*\n(?=\};)/m.exec(text);
    assert(last !== null, `${table} has no table`);
    const end = last.index + last[0].length;
    Deno.writeTextFileSync(
      `${source}/${table}`,
      `${text.slice(0, end)}  ${line}\n${text.slice(end)}`,
    );
  }
}

function copy(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) copy(`${from}/${name}`, `${to}/${name}`);
}

/** Runs a program of the copy; it has to succeed. */
async function inCopy(root: string, ...argv: readonly string[]): Promise<void> {
  const [program, ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(`${root}/scripts/${program}`, {
    args,
    cwd: root,
    signal: AbortSignal.timeout(BUILD.timeoutMs),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${argv.join(" ")}: ${text(stdout)}${text(stderr)}`);
}

testIf({
  name: "a third runtime is one directory and two lines, and all commands work for it",
  needs: crunNeeds,
}, async (t) => {
  const root = await Deno.makeTempDir({ prefix: "hpk-third-runtime-" });
  await using _root = {
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
  copyWithToy(root);
  await t.step("types and layers are in order", async () => {
    await inCopy(root, "check_types", "packages/hpktainer/main.ts");
    await inCopy(root, "deno", "run", "--no-check", "-A", "scripts/check_layers.ts");
  });
  await inCopy(root, "build", "hpktainer");

  await using host = await crunHost();
  const { busybox } = await ociImages();
  const toy = (...args: string[]): Promise<RunResult> =>
    host.run(`${root}/dist/hpktainer`, args, { check: false, ...BUSY });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await toy(...args);
    assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const runDetached = (...command: string[]) =>
    ok("run", "--runtime", "toy", "-d", "--name", "web", busybox, ...command);
  const before = await snapshot(host);

  await t.step("run: exit status, output and address are the container's", async () => {
    const { code, stdout, stderr } = await toy(
      ...["run", "--runtime", "toy", busybox, "sh", "-c", "ip -o -4 addr show eth0; exit 7"],
    );
    assertEquals(code, 7, stderr);
    assertMatch(stdout, / 10\.96\.0\.2\//);
    assertStringIncludes(stderr, "hpktainer: the toy runtime keeps nothing apart but the network");
    const preferred = await host.run(`${root}/dist/hpktainer`, [
      ...["container", "run", "--network", "host", busybox, "sh", "-c", "exit 3"],
    ], { check: false, env: { HPK_RUNTIME: "toy" }, ...BUSY });
    assertEquals(preferred.code, 3, preferred.stderr);
    await eventuallySame(host, before, BUSY);
  });

  await t.step("the commands on containers and images know it", async () => {
    const id = (await runDetached("sh", "-c", "echo hello; exec sleep 1000")).trim();
    assertEquals(JSON.parse(await ok("ps", "--json")).containers[0].runtime, "toy");
    assertMatch(await ok("container", "ls"), /10\.96\.0\.\d+ +web/);
    assertEquals(JSON.parse(await ok("container", "inspect", "web"))[0].HostConfig.Runtime, "toy");
    await eventually(async () => (await ok("container", "logs", "web")) === "hello\n", {
      what: "the log",
      ...BUSY,
    });
    const inUse = await toy("image", "rm", busybox);
    assertEquals([inUse.code, inUse.stdout], [125, ""]);
    assertStringIncludes(inUse.stderr, "the container 'web' uses it");
    await ok("container", "kill", "web");
    assertEquals((await ok("container", "wait", "web")).trim(), "137");
    await ok("container", "start", "web");
    await ok("container", "stop", "-t", "0", "web");
    assertMatch(await ok("container", "ls", "-a"), /Exited \(143\)/);
    assertEquals((await ok("container", "rm", id)).trim(), id);
    await eventuallySame(host, before, BUSY);
  });

  await t.step("what it does not support is refused in one line", async () => {
    await runDetached("sleep", "1000");
    for (const words of [["exec", "web", "true"], ["attach", "web"]]) {
      const { code, stdout, stderr } = await toy("container", ...words);
      assertEquals([code, stdout], [125, ""]);
      assertMatch(stderr, /^hpktainer: cannot .* of the runtime 'toy': .*support it; .*\n$/);
    }
    const unknown = await toy("run", "--runtime", "nosuch", busybox);
    assertStringIncludes(unknown.stderr, "use one of apptainer, crun, toy");
    assertMatch(await ok("doctor"), /nsenter/);
  });

  await t.step("its end is cleaned up by the monitor", async () => {
    await host.sh("kill -9 $(cat /var/lib/hpktainer/containers/*/pid)");
    await eventually(async () => (await ok("ps", "--json")).includes('"containers": []'), {
      what: "the end of the record",
      ...BUSY,
    });
    await ok("container", "rm", "web");
    await eventuallySame(host, before, BUSY);
  });

  await t.step("a version without it keeps the record, and says why", async () => {
    await runDetached("sleep", "1000");
    await killMonitor(host);
    await endAll(host);
    const { code, stdout } = await hpk(host, ["gc"], BUSY);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "cannot manage a container of the runtime 'toy'");
    assertStringIncludes(await ok("ps"), "web");
    await ok("gc");
    await ok("container", "rm", "web");
    await eventuallySame(host, before, BUSY);
  });
});

/** Kills the toy's supervisor and its container. */
async function endAll(host: PrivateHost): Promise<void> {
  await host.sh(
    "kill -9 $(cat /var/lib/hpktainer/containers/*/pid /var/lib/hpktainer/containers/*/toy.pid)",
  );
}
