/**
 * Tests scripts/setup with a PATH of its own: real core utilities, stand-ins for package managers.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../", import.meta.url).pathname;
const UTILITIES =
  "basename bash cat chmod cp dirname env find flock grep gzip head id install ln mkdir " +
  "mktemp mv od rm sed sha256sum tail tar timeout tr truncate uname";

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** The command lines of the stand-in for apt-get. */
  installs: string[];
  /** Programs in the cache directory. */
  cached: string[];
}

/** Runs scripts/setup with only the core utilities, `present` and the given scripts in PATH. */
async function setup(
  part: string,
  present: string[],
  scripts: Record<string, string> = {},
): Promise<Outcome> {
  const home = await Deno.makeTempDir();
  try {
    const bin = `${home}/bin`;
    await Deno.mkdir(bin);
    await Deno.mkdir(`${home}/cache`);
    for (const name of UTILITIES.split(" ")) {
      await Deno.symlink(`/usr/bin/${name}`, `${bin}/${name}`)
        .catch(() => Deno.symlink(`/bin/${name}`, `${bin}/${name}`));
    }
    const stubs: Record<string, string> = {
      ...Object.fromEntries(present.map((name) => [name, "exit 0"])),
      "apt-get": `printf '%s\\n' "$*" >>'${home}/installs'`,
      "apt-cache": "echo '  Candidate: 1'",
      "sudo": 'shift; exec "$@"',
      "ldconfig": "echo 'libgcc_s.so.1 => /lib/libgcc_s.so.1'",
      ...scripts,
    };
    for (const [name, body] of Object.entries(stubs)) {
      // Never through a link to the machine's own program.
      await Deno.remove(`${bin}/${name}`).catch(() => {});
      await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/bash\n${body}\n`, { mode: 0o755 });
    }
    const { code, stdout, stderr } = await new Deno.Command(`${ROOT}scripts/setup`, {
      args: [part],
      clearEnv: true,
      env: {
        PATH: bin,
        HOME: home,
        XDG_CACHE_HOME: `${home}/cache`,
        CNI_PATH: bin,
        npm_config_registry: "https://registry.invalid",
      },
    }).output();
    const text = new TextDecoder();
    const installs = await Deno.readTextFile(`${home}/installs`).catch(() => "");
    return {
      code,
      stdout: text.decode(stdout),
      stderr: text.decode(stderr),
      installs: installs.split("\n").filter((line) => / install /.test(line)),
      cached: await Array.fromAsync(programsUnder(`${home}/cache`)),
    };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function* programsUnder(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) yield* programsUnder(path);
    else if ((Deno.statSync(path).mode! & 0o111) !== 0) yield path;
  }
}

/** The programs that all tests call. */
const TOOLS = ("nft ping ps sysctl script ethtool buildah curl mmdebstrap udevadm firewalld dnf " +
  "zypper rpmbuild createrepo_c shellcheck typos netavark").split(" ");

/** The programs that the tests of OCI images call. */
const OCI = ["skopeo", "umoci", "crun", "conmon", "catatonit", "docker-registry"];

Deno.test("scripts/setup does nothing, silently, when nothing is missing", async () => {
  const run = "ip iptables-restore nsenter unshare flock host-local conntrack dnsmasq apptainer"
    .split(" ");
  const parts: [string, string[]][] = [
    ["run", run],
    ["demo", ["busybox", "iperf3"]],
    ["test", [...TOOLS, ...OCI]],
  ];
  for (const [part, present] of parts) {
    const outcome = await setup(part, present);
    assertEquals(outcome, { code: 0, stdout: "", stderr: "", installs: [], cached: [] });
  }
});

Deno.test("scripts/setup says what it installs, under the distribution's names, in one call", async () => {
  const { code, stdout, installs } = await setup("demo", [], { ldconfig: "exit 0" });
  assertEquals(code, 0);
  assertEquals(installs, ["-y --no-install-recommends install busybox-static iperf3 libgcc-s1"]);
  assertMatch(stdout, /^setup: installing busybox-static iperf3 libgcc-s1$/m);
});

Deno.test("scripts/setup installs the OCI tools that the distribution has", async () => {
  const debian = await setup("test", TOOLS);
  assertEquals(debian.installs, [`-y --no-install-recommends install ${OCI.join(" ")}`]);
  assertEquals(debian.code, 0);
});

Deno.test("scripts/setup shows why an installation failed, and stops", async () => {
  const { code, stderr } = await setup("demo", ["busybox"], {
    "apt-get": "printf 'E: no space left\\n\\033[0m\\n'; exit 100",
  });
  assertEquals(code, 1);
  assertMatch(stderr, /\nscripts\/setup: '.*apt-get.*' failed: E: no space left\n$/);
});

Deno.test("scripts/setup installs no Deno but the pinned one", async () => {
  const { code, stderr, cached } = await setup("deno", [], {
    npm: "mkdir package; echo other >package/deno; tar -czf other.tgz package; echo other.tgz",
  });
  assertEquals([code, cached], [1, []]);
  assert(stderr.startsWith("scripts/setup: the Deno from npm is not the pinned one"), stderr);
});

Deno.test("scripts/setup does without npm, and quotes the line that explains a failure", async () => {
  const { code, stderr, cached } = await setup("deno", [], {
    curl:
      'printf "curl: (22) the requested URL returned error: 404: %s\\n\\n" "${!#}" >&2; exit 22',
  });
  assertEquals([code, cached], [1, []]);
  assertMatch(
    stderr,
    /^scripts\/setup: cannot fetch @deno\/linux-\w+-glibc@[0-9.]+ from the npm registry: curl: \(22\) .*404: https:.*\/@deno\/linux-\w+-glibc\/-\/linux-\w+-glibc-[0-9.]+\.tgz\n$/,
  );
});

Deno.test("scripts/setup lists its parts when given an unknown one", async () => {
  const { code, stderr } = await setup("everything", []);
  assertEquals(code, 1);
  assertEquals(
    stderr,
    "scripts/setup: no part is called 'everything': name deno, run, demo, test or bench\n",
  );
});

Deno.test("bench installs what is available, and reports the rest", async () => {
  const { code, stdout, installs } = await setup("bench", [
    "host-local",
    "podman",
    "iperf3",
    "pasta",
  ], {
    "apt-get": `case "$*" in *" install "*sockperf*) exit 100 ;; esac
      printf '%s\\n' "$*" >>"$HOME/installs"`,
  });
  assertEquals(code, 0);
  assertEquals(installs.length, 1);
  assertMatch(installs[0]!, / slirp4netns$/);
  assertMatch(stdout, /sockperf cannot be installed: what needs it is left out/);
});
