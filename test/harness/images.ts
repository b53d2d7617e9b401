/**
 * Real Apptainer images for tests, made offline from the machine's static busybox. They are cached
 * under the system's temporary directory, by their inputs, and reused by the next run.
 */
import { createHash } from "node:crypto";
import { apptainerEnv } from "./apptainer_env.ts";
import { machine } from "./place.ts";
import { findProgram } from "./skip.ts";

/** Paths of the images. */
export interface Images {
  /** SIF: busybox with all its applets, /etc/passwd, group, hosts, resolv.conf; a shell. */
  base: string;
  /** The same as a directory with Apptainer's own files in it (`apptainer build --sandbox`). */
  sandbox: string;
  /** The same as a plain directory, as another tool unpacks an image: nothing of Apptainer in it. */
  rootfs: string;
  /** SIF with nothing but `/bin/busybox`: no /etc, no shell, no directories to mount on. */
  scratch: string;
}

let building: Promise<Images> | undefined;

/**
 * The images, built at the first call in a test process (a second) or reused from an earlier run.
 * Needs root, apptainer and busybox.
 */
export function images(): Promise<Images> {
  building ??= build();
  return building;
}

const ROOTFS_SCRIPT = `
mkdir -p rootfs/bin rootfs/sbin rootfs/usr/bin rootfs/etc rootfs/proc rootfs/sys rootfs/dev rootfs/run \\
  rootfs/root rootfs/home rootfs/mnt
mkdir -p -m 1777 rootfs/tmp rootfs/var/tmp
cp "$BUSYBOX" rootfs/bin/busybox
for applet in $(rootfs/bin/busybox --list); do
  if [ "$applet" != busybox ]; then ln -s busybox "rootfs/bin/$applet"; fi
done
echo 'root:x:0:0:root:/root:/bin/sh' > rootfs/etc/passwd
echo 'root:x:0:' > rootfs/etc/group
: > rootfs/etc/hosts
: > rootfs/etc/resolv.conf
mkdir -p scratch/bin
cp "$BUSYBOX" scratch/bin/busybox
apptainer -q build base.sif rootfs
apptainer -q build --sandbox sandbox rootfs
apptainer -q build scratch.sif scratch
rm -r scratch
`;

async function build(): Promise<Images> {
  const busybox = findProgram("busybox");
  const apptainer = findProgram("apptainer");
  if (busybox === undefined || apptainer === undefined) {
    throw new Error("test images need busybox and apptainer: run scripts/setup");
  }
  // Not asked for its version: any call creates a directory in the caller's home.
  const { size, mtime } = await Deno.stat(apptainer);
  const key = createHash("sha256")
    .update(await Deno.readFile(busybox))
    .update(`${size} ${mtime?.getTime()} ${ROOTFS_SCRIPT}`)
    .digest("hex").slice(0, 16);
  const dir = `${tempRoot()}/hpktainer-test-images-${key}`;
  if (!await isOurs(dir)) {
    const work = await Deno.makeTempDir({ prefix: "hpktainer-test-images-" });
    try {
      await Deno.chmod(work, 0o755);
      await machine.sh(ROOTFS_SCRIPT, {
        cwd: work,
        env: {
          ...apptainerEnv(),
          BUSYBOX: busybox,
          // The build must not touch the caller's own Apptainer directory.
          APPTAINER_CONFIGDIR: `${work}/.config`,
          APPTAINER_CACHEDIR: `${work}/.cache`,
          APPTAINER_TMPDIR: work,
        },
        timeoutMs: 120_000,
      });
      await Deno.rename(work, dir);
    } catch (error) {
      await Deno.remove(work, { recursive: true });
      // Another test process was faster: its images are as good.
      if (!await isOurs(dir)) throw error;
    }
  }
  return {
    base: `${dir}/base.sif`,
    sandbox: `${dir}/sandbox`,
    rootfs: `${dir}/rootfs`,
    scratch: `${dir}/scratch.sif`,
  };
}

/**
 * True if root created `dir`: anybody may create a directory of that name in a temporary directory.
 */
async function isOurs(dir: string): Promise<boolean> {
  try {
    const info = await Deno.lstat(dir);
    return info.isDirectory && info.uid === Deno.uid();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function tempRoot(): string {
  return (Deno.env.get("TMPDIR") ?? "/tmp").replace(/\/+$/, "");
}
