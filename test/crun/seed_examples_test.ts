/**
 * Every example of crungo's README runs as it is written there, with `crungo` a link to hpktainer.
 *
 *   [ internet ] 8.8.8.8, and 203.0.113.10 which answers every name ── [ host ] ./crungo ── crun ── alpine
 *                                                       docker.io is a registry of the host's own ┘
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  dockerRegistry,
  Internet,
  ociImages,
  openPty,
  type PrivateHost,
  program,
  type Pty,
  Registry,
  type RunResult,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER } from "../harness/hpktainer.ts";
import { BUSY, crunHost, crunNeeds } from "../harness/crun.ts";

const needs = [...crunNeeds, dockerRegistry, program("script")];

/** A directory of the host to type the examples in. */
const CWD = "/run/examples";

/** Sends what asks docker.io to a registry of this host (containers-registries.conf(5)). */
const MIRROR = `
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "localhost:5000"
insecure = true
`;

async function prepare(host: PrivateHost, internet: Internet, registry: Registry): Promise<void> {
  await internet.attach(host, { address: "198.51.100.11/24" });
  await internet.run("ip", ["address", "add", "8.8.8.8/32", "dev", "lo"]);
  await host.sh(
    `mkdir -p ${CWD}/data; cd ${CWD}
     ln -s '${HPKTAINER}' crungo
     echo seven > data/seven
     mkdir -p /etc/containers
     cat > /etc/containers/registries.conf
     echo 'nameserver ${internet.outside}' > /etc/resolv.conf`,
    { stdin: MIRROR },
  );
  await registry.push((await ociImages()).alpine, "library/alpine:latest");
}

/** Runs an example without a terminal, as a shell reads it. */
function type(host: PrivateHost, line: string, stdin = ""): Promise<RunResult> {
  return host.run("sh", ["-c", line], { ...BUSY, cwd: CWD, stdin, check: false });
}

/** Starts an example on a terminal, as a shell reads it. */
function typeAtTerminal(host: PrivateHost, line: string): Promise<Pty> {
  return openPty(host, "sh", ["-c", line], { cwd: CWD });
}

/** The file of the memory limit in a container: control groups of version 2, or 1. */
const isUnified = (() => {
  try {
    return Deno.statSync("/sys/fs/cgroup/cgroup.controllers").isFile;
  } catch {
    return false;
  }
})();

testIf({ name: "every example of crungo's README runs as it is written", needs }, async (t) => {
  await using internet = await Internet.create();
  await using host = await crunHost();
  await using registry = await Registry.start(host);
  await prepare(host, internet, registry);
  await using answers = await internet.spawn(Deno.execPath(), [
    ...["run", "-A", "--quiet", "--no-config", "--unstable-net"],
    ...[new URL("./_answers.ts", import.meta.url).pathname, internet.outside],
  ]);
  await answers.waitFor(/ready/, BUSY);

  /** What an example prints, and its exit status. */
  const example = (line: string, expected: RegExp, code = 0) =>
    t.step(line, async () => {
      const result = await type(host, line);
      assertEquals(result.code, code, result.stderr);
      assertMatch(result.stdout, expected, result.stderr);
    });
  /** An example on a terminal: what is typed when something is shown. */
  const dialogue = (line: string, exchanges: readonly (readonly [RegExp, string])[], code = 0) =>
    t.step(line, async () => {
      await using terminal = await typeAtTerminal(host, line);
      for (const [shown, typed] of exchanges) {
        await terminal.readUntil(shown, BUSY);
        await terminal.write(typed);
      }
      assertEquals(await terminal.waitExit(BUSY), code);
    });

  await t.step("./crungo run alpine echo hello world", async () => {
    const { code, stdout, stderr } = await type(host, "./crungo run alpine echo hello world");
    assertEquals([code, stdout], [0, "hello world\n"], stderr);
    // The image is fetched for it, which is reported only on standard error.
    assertMatch(stderr, /^alpine:latest: fetching/);
    const again = await type(host, "./crungo run alpine echo hello world");
    assertEquals([again.code, again.stdout, again.stderr], [0, "hello world\n", ""]);
  });
  await dialogue("./crungo run -it alpine /bin/sh", [
    [/# /, "tty; echo $((6 * 7)).\r"],
    // Not sleep, which is built into the shell of BusyBox 1.37 and cannot be interrupted there.
    [/\/dev\/pts\/0\r\n42\.\r\n[^]*# /, "echo go; cat\r"],
    [/\r\ngo\r\n/, "\x03"],
    [/# /, "exit 3\r"],
  ], 3);
  await t.step("./crungo run -i alpine /bin/sh", async () => {
    const { code, stdout } = await type(
      host,
      "./crungo run -i alpine /bin/sh",
      "echo one\necho two; exit 4\necho three\n",
    );
    assertEquals([code, stdout], [4, "one\ntwo\n"]);
  });
  await dialogue('./crungo run -it alpine sh -c "apk add vim && vim"', [
    [/OK: vim\r\n[^]*~[^]*~/, ":q!\r"],
  ]);
  await dialogue('./crungo run -it --net=host alpine sh -c "apk add htop && htop"', [
    [/OK: htop\r\n[^]*PID/, "q"],
  ]);
  await dialogue("./crungo run -it --net=host alpine /bin/sh", [
    [/# /, "ip -4 -o address show dev eth0\r"],
    [/198\.51\.100\.11\/24[^]*# /, "\x04"],
  ]);
  await example("./crungo run --net=host alpine ping -c 3 8.8.8.8", /3 packets received/);
  await example(
    "./crungo run --net=host alpine nslookup google.com",
    new RegExp(`google\\.com\\nAddress: ${internet.outside}`),
  );
  await example(
    './crungo run --net=host alpine sh -c "apk add curl && curl -s https://httpbin.org/ip"',
    /"origin": "httpbin\.org\/ip"/,
  );
  await t.step("./crungo run -e DB_HOST=localhost -e DB_PORT=5432 alpine env", async () => {
    const { code, stdout } = await type(
      host,
      "./crungo run -e DB_HOST=localhost -e DB_PORT=5432 alpine env",
    );
    assertEquals(code, 0);
    const lines = stdout.trim().split("\n");
    for (const line of ["DB_HOST=localhost", "DB_PORT=5432", "HOME=/root"]) {
      assertEquals(lines.filter((one) => one === line).length, 1, stdout);
    }
  });
  await t.step("./crungo run -v ./data:/data:ro alpine ls -la /data", async () => {
    const { code, stdout } = await type(
      host,
      "./crungo run -v ./data:/data:ro alpine ls -la /data",
    );
    assertEquals(code, 0);
    assertStringIncludes(stdout, "seven");
    const { code: refused } = await type(
      host,
      "./crungo run -v ./data:/data:ro alpine touch /data/x",
    );
    assertEquals(refused, 1);
    const { stdout: files } = await host.sh(`ls ${CWD}/data`);
    assertEquals(files, "seven\n");
  });
  const limit = "./crungo run -m 256m --cpus 0.5 alpine cat /sys/fs/cgroup/memory.max";
  if (isUnified) await example(limit, /^268435456\n$/);
  else {
    const v1 = limit.replace("memory.max", "memory/memory.limit_in_bytes");
    await example(`${v1} # the file's name with control groups of version 1`, /^268435456\n$/);
  }
  await example("./crungo run -u 1000:1000 alpine id", /^uid=1000\S* gid=1000/);
  await example(
    './crungo run --entrypoint /bin/sh alpine -c "echo custom command"',
    /^custom command\n$/,
  );
  await example("./crungo run --crun-debug alpine echo hello", /^hello\n$/);
});

testIf({
  name: "crungo's network modes work, and the default is the pod network",
  needs: crunNeeds,
}, async (t) => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  await host.sh(`mkdir -p ${CWD}; ln -s '${HPKTAINER}' ${CWD}/crungo`);
  const links = async (options: string) => {
    const { code, stdout, stderr } = await type(
      host,
      `./crungo run ${options} ${busybox} ls /sys/class/net`,
    );
    assertEquals(code, 0, stderr);
    return stdout.trim().split(/\s+/);
  };
  await t.step("none", async () => assertEquals(await links("--net=none"), ["lo"]));
  await t.step("host", async () => {
    const { stdout } = await host.sh("ls /sys/class/net");
    assertEquals(await links("--net=host"), stdout.trim().split(/\s+/));
  });
  await t.step("by default", async () => assertEquals(await links(""), ["eth0", "lo"]));
  await t.step("-t without a terminal fails before anything is made", async () => {
    const { code, stdout, stderr } = await type(host, `./crungo run -t ${busybox} echo hello`);
    assertEquals([code, stdout], [125, ""]);
    assertMatch(stderr, /^hpktainer: [^\n]*terminal[^\n]*\n$/);
  });
});
