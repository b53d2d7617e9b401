/**
 * OCI images for tests, made offline: from the machine's static busybox and, on Debian, from the
 * files of its own packages. They are cached under the system's temporary directory, by their
 * inputs, and reused by the next run.
 */
import { createHash, randomBytes } from "node:crypto";
import { machine } from "./place.ts";
import { type OciImage, OciLayout } from "./oci_layout.ts";
import { findProgram, type Need } from "./skip.ts";
import type { TarEntry } from "./tar_archive.ts";

/** Names of the images, as `hpktainer image pull` takes them: `oci:DIRECTORY:TAG`. */
export interface OciImages {
  /** Directory of the layout that holds them, by tags. */
  layout: string;
  /** busybox with all its applets, `/etc/passwd`, `/etc/group`; runs `sh`. */
  busybox: string;
  /**
   * On top of `busybox` a user (`app`, 1000:1000), environment (`GREETING=hello world`), entrypoint
   * (`/bin/sh -c`), command, working directory (`/srv/app`), labels, stop signal (SIGINT), ports, a
   * volume (`/data`), and layers that remove files of lower ones.
   */
  features: string;
  /** Another on top of `busybox`, for shared layers. */
  sibling: string;
  /**
   * busybox with an `apk` that pretends to install vim, htop and curl: enough for examples that do
   * so.
   */
  alpine: string;
  /** Debian's base, with bash, coreutils and dpkg; undefined if the machine does not run Debian. */
  debian: string | undefined;
  /** One that takes 100 MB unpacked: busybox and a file of random data. */
  large: string;
}

/** The needs of the images. */
export const ociTools: readonly Need[] = ["skopeo", "umoci", "setpriv"].map((name) => ({
  ok: findProgram(name) !== undefined,
  what: `${name} is not installed (run scripts/setup)`,
}));

/** A machine from whose packages an image can be made. */
export const debianMachine: Need = {
  ok: findProgram("dpkg-query") !== undefined,
  what: "the machine does not run Debian: dpkg-query is missing",
};

/** Packages of the Debian image: a shell and everyday programs, with their dependencies. */
const DEBIAN_PACKAGES = [
  ...["base-files", "base-passwd", "bash", "coreutils", "dash", "debianutils", "dpkg", "findutils"],
  ...["grep", "gzip", "hostname", "libc-bin", "sed", "tar"],
];

let building: Promise<OciImages> | undefined;

/**
 * The images, made at the first call in a test process (some seconds) or reused from an earlier
 * run.
 */
export function ociImages(): Promise<OciImages> {
  building ??= build();
  return building;
}

async function build(): Promise<OciImages> {
  const busybox = findProgram("busybox");
  if (busybox === undefined) throw new Error("test images need busybox: run scripts/setup");
  const program = await Deno.readFile(busybox);
  const key = createHash("sha256").update(program).update(await Deno.readFile(OWN_SOURCE))
    .digest("hex").slice(0, 16);
  const directory = `${tempRoot()}/hpktainer-test-oci-${key}`;
  if (!isOurs(directory)) {
    const work = await Deno.makeTempDir({ prefix: "hpktainer-test-oci-" });
    try {
      await fill(new OciLayout(work), program);
      await Deno.chmod(work, 0o755);
      await Deno.rename(work, directory);
    } catch (error) {
      await Deno.remove(work, { recursive: true });
      // Another test process was faster: its images are as good.
      if (!isOurs(directory)) throw error;
    }
  }
  const named = (tag: string): string => `oci:${directory}:${tag}`;
  return {
    layout: directory,
    busybox: named("busybox"),
    features: named("features"),
    sibling: named("sibling"),
    alpine: named("alpine"),
    debian: debianMachine.ok ? named("debian") : undefined,
    large: named("large"),
  };
}

const OWN_SOURCE = new URL(import.meta.url);

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function fill(layout: OciLayout, busybox: Uint8Array): Promise<void> {
  const base = await busyboxLayer(busybox);
  const shell = { Env: [PATH], Cmd: ["sh"] };
  layout.add("busybox", { layers: [base], config: shell });
  layout.add("features", features(base));
  const sibling: TarEntry[] = [{ path: "sibling", data: "1\n" }];
  layout.add("sibling", { layers: [base, sibling], config: shell });
  layout.add("alpine", { layers: [base, apk()], config: shell });
  // As large when packed as unpacked, because random data does not compress.
  const noise: TarEntry[] = [
    { path: "noise", type: "directory" },
    ...Array.from({ length: 49 }, (_, index) => ({
      path: `noise/${index}`,
      data: new Uint8Array(randomBytes(2_000_000)),
    })),
  ];
  layout.add("large", { layers: [base, noise], config: shell });
  if (debianMachine.ok) {
    const config = { Env: [PATH], Cmd: ["bash"] };
    layout.add("debian", { layers: [await debianLayer()], config });
  }
}

async function busyboxLayer(busybox: Uint8Array): Promise<TarEntry[]> {
  const { stdout } = await machine.run("busybox", ["--list"]);
  const applets = stdout.trim().split("\n").filter((name) => name !== "busybox");
  const directories = ["bin", "etc", "root", "home", "proc", "sys", "dev", "run", "usr", "usr/bin"];
  return [
    ...directories.map((path) => ({ path, type: "directory" as const })),
    { path: "tmp", type: "directory", mode: 0o1777 },
    { path: "bin/busybox", data: busybox, mode: 0o755 },
    ...applets.map((name) => ({ path: `bin/${name}`, type: "symlink" as const, link: "busybox" })),
    {
      path: "etc/passwd",
      data:
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
    },
    {
      path: "etc/group",
      data: "root:x:0:\napp:x:1000:\nvideo:x:44:app\nnogroup:x:65534:\n",
    },
    { path: "home/app", type: "directory", uid: 1000, gid: 1000 },
  ];
}

/** An `apk add` that creates scripts around busybox's own programs. */
function apk(): TarEntry[] {
  const script = (path: string, text: string) => ({
    path,
    data: `#!/bin/sh\n${text}`,
    mode: 0o755,
  });
  return [
    { path: "sbin", type: "directory" },
    { path: "usr/share", type: "directory" },
    { path: "usr/share/apk", type: "directory" },
    script("usr/share/apk/vim", 'exec vi "$@"\n'),
    script("usr/share/apk/htop", 'exec top "$@"\n'),
    script("usr/share/apk/curl", 'exec wget -q -O - "http://${2#https://}"\n'),
    script("sbin/apk", 'cp "/usr/share/apk/$2" /usr/bin/ && echo "OK: $2"\n'),
  ];
}

function features(base: readonly TarEntry[]): OciImage {
  return {
    layers: [
      base,
      [
        { path: "srv", type: "directory" },
        { path: "srv/app", type: "directory", uid: 1000, gid: 1000, mode: 0o750 },
        { path: "srv/app/run", data: "#!/bin/sh\necho ran\n", mode: 0o755, uid: 1000, gid: 1000 },
        { path: "srv/app/same", type: "hardlink", link: "srv/app/run" },
        { path: "srv/setuid", data: "x", mode: 0o4755, uid: 1000, gid: 44 },
        { path: "srv/gone", data: "from a lower layer\n" },
        { path: "srv/opaque", type: "directory" },
        { path: "srv/opaque/lower", data: "from a lower layer\n" },
        { path: "srv/tree", type: "directory" },
        { path: "srv/tree/deep", type: "directory" },
        { path: "srv/tree/deep/file", data: "from a lower layer\n" },
        { path: "srv/becomes", type: "directory" },
        { path: "srv/becomes/file", data: "1\n" },
        { path: "srv/pipe", type: "fifo" },
        { path: "srv/null", type: "character", device: [1, 3], mode: 0o666 },
        { path: "data", type: "directory", uid: 1000, gid: 1000 },
        { path: "data/seed", data: "of the image\n", uid: 1000, gid: 1000 },
      ],
      [
        { path: "srv/.wh.gone" },
        { path: "srv/.wh.tree" },
        { path: "srv/opaque/.wh..wh..opq" },
        { path: "srv/opaque/upper", data: "from the upper layer\n" },
        { path: "srv/becomes", data: "a file now\n" },
      ],
    ],
    config: {
      User: "app",
      Env: [PATH, "GREETING=hello world"],
      Entrypoint: ["/bin/sh", "-c"],
      Cmd: ['echo "$GREETING" from $(id -u) in $PWD'],
      WorkingDir: "/srv/app",
      Labels: { "org.example.purpose": "test", empty: "" },
      StopSignal: "SIGINT",
      ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
      Volumes: { "/data": {} },
    },
  };
}

/**
 * Packages with all that they depend on.
 *
 * @param wanted Names; those that are not installed are left out.
 * @param installed A line for each installed package: name, dependencies and what it provides, between tabs, as
 * in deb-control(5).
 */
export function withDependencies(wanted: readonly string[], installed: string): string[] {
  const nameOf = (relation: string): string => relation.trim().split(/[ :(]/)[0]!;
  const dependencies = new Map<string, string[][]>();
  const providers = new Map<string, string>();
  for (const line of installed.trimEnd().split("\n")) {
    const [name = "", depends = "", provides = ""] = line.split("\t");
    dependencies.set(name, depends.split(",").map((one) => one.split("|").map(nameOf)));
    for (const virtual of provides.split(",").map(nameOf)) {
      if (virtual !== "") providers.set(virtual, name);
    }
  }
  const found = new Set<string>();
  const visit = (alternatives: readonly string[]): void => {
    const name = alternatives.map((one) => dependencies.has(one) ? one : providers.get(one))
      .find((one) => one !== undefined);
    if (name === undefined || found.has(name)) return;
    found.add(name);
    dependencies.get(name)!.forEach(visit);
  };
  for (const name of wanted) visit([name]);
  return [...found];
}

/** The files of the machine's own packages, and a dpkg database of them. */
async function debianLayer(): Promise<Uint8Array<ArrayBuffer>> {
  const fields = "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n";
  const { stdout: installed } = await machine.run("dpkg-query", ["-W", "-f", fields]);
  const packages = withDependencies(DEBIAN_PACKAGES, installed);
  const work = await Deno.makeTempDir({ prefix: "hpktainer-test-debian-" });
  try {
    await machine.sh(
      `dpkg -L ${packages.join(" ")} | grep '^/' | sort -u |
        while read -r path; do if [ -e "$path" ] || [ -L "$path" ]; then echo ".$path"; fi; done > list
      mkdir -p root/usr/bin root/usr/sbin root/usr/lib root/usr/lib64 root/var/lib/dpkg/info root/var/lib/dpkg/updates root/etc root/root root/proc root/sys root/dev
      (cd / && tar -c --no-recursion -T "$OLDPWD/list") | tar -x -C root
      dpkg-query -s ${
        packages.join(" ")
      } | sed '/^Conffiles:/,/^[A-Z]/{/^Conffiles:/d;/^ /d}' > root/var/lib/dpkg/status
      printf 'root:x:0:0:root:/root:/bin/bash\\n' > root/etc/passwd
      printf 'root:x:0:\\n' > root/etc/group
      tar -c -C root --sort=name . > layer.tar`,
      { cwd: work, timeoutMs: 120_000 },
    );
    return await Deno.readFile(`${work}/layer.tar`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** A layout with one image, for a test that needs a particular one. */
export class OciFixture implements Disposable {
  /** Directory of the layout. */
  readonly layout: string;
  readonly #writer: OciLayout;

  constructor() {
    this.layout = Deno.makeTempDirSync({ prefix: "hpktainer-test-oci-" });
    Deno.chmodSync(this.layout, 0o755);
    this.#writer = new OciLayout(this.layout);
  }

  /** Adds an image; returns its name. */
  add(tag: string, image: OciImage): string {
    this.#writer.add(tag, image);
    return `oci:${this.layout}:${tag}`;
  }

  /** Adds a list of images for several architectures; returns its name. */
  addList(tag: string, images: readonly OciImage[]): string {
    this.#writer.addList(tag, images);
    return `oci:${this.layout}:${tag}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.layout, { recursive: true });
  }
}

function isOurs(directory: string): boolean {
  try {
    const info = Deno.lstatSync(directory);
    return info.isDirectory && info.uid === Deno.uid();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function tempRoot(): string {
  return (Deno.env.get("TMPDIR") ?? "/tmp").replace(/\/+$/, "");
}
