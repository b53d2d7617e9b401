/**
 * images/hpktainer-base, built offline from its own recipes: the .def by Apptainer, the Dockerfile
 * by buildah, both on top of a directory with busybox and the C library of this machine.
 */
import { apptainerEnv, findProgram, images, machine } from "../harness/mod.ts";
import { NET_DAEMON } from "./_daemon.ts";

const SOURCES = new URL("../../images/hpktainer-base/", import.meta.url).pathname;

/** Input of both recipes: a root file system, and the daemon next to the recipe's files. */
const PREPARE = `
cp -a "$ROOTFS" rootfs
for library in $(ldd "$NET_DAEMON" | grep -o '/[^ ]*'); do
  mkdir -p "rootfs$(dirname "$library")"
  cp -L "$library" "rootfs$library"
done
mkdir context
cp "$NET_DAEMON" context/hpk-net-daemon
cp "$SOURCES"/* context/
cd context
`;

/** Ways to build it; each creates an image named `base` in the parent directory. */
const RECIPES = {
  "hpktainer-base.def":
    `apptainer -q build --build-arg BOOTSTRAP=localimage --build-arg FROM="$PWD/../rootfs" \
  ../base hpktainer-base.def`,
  // In a chroot, with plain directories: this works on a machine without cgroups or overlays of its
  // own. Its cache under /var/lib must not stay.
  "Dockerfile": `
unshare --mount sh -e <<'END' >&2
mount -t tmpfs tmpfs /var/lib
buildah() { command buildah --root "$PWD/../store" --runroot "$PWD/../run" --storage-driver vfs "$@"; }
from=$(buildah from scratch)
buildah copy -q "$from" ../rootfs /
buildah commit -q "$from" localhost/rootfs
# Its own limits are higher than ours in some versions, and not every root may raise them.
buildah build -q --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --isolation chroot --pull-never \\
  --build-arg FROM=localhost/rootfs \\
  -t localhost/hpktainer-base .
buildah push -q localhost/hpktainer-base "oci-archive:$PWD/../archive"
END
apptainer -q build ../base oci-archive:../archive
rm ../archive`,
} as const;

/** A recipe in images/hpktainer-base. */
export type Recipe = keyof typeof RECIPES;

/** A built image, and its directory. */
export interface BaseImage extends AsyncDisposable {
  readonly path: string;
}

/** Builds the image. */
export async function buildBaseImage(recipe: Recipe = "hpktainer-base.def"): Promise<BaseImage> {
  const { rootfs } = await images();
  if (findProgram("ldd") === undefined) throw new Error("ldd is not installed");
  const directory = await Deno.makeTempDir({ prefix: "hpktainer-base-" });
  await Deno.chmod(directory, 0o755);
  await machine.sh(
    `set -e\n${PREPARE}\n${RECIPES[recipe]}\ncd ..\nrm -rf rootfs context store run`,
    {
      cwd: directory,
      env: {
        ...apptainerEnv(),
        ROOTFS: rootfs,
        NET_DAEMON,
        SOURCES,
        APPTAINER_CONFIGDIR: `${directory}/.config`,
        APPTAINER_CACHEDIR: `${directory}/.cache`,
        APPTAINER_TMPDIR: directory,
      },
      timeoutMs: 120_000,
    },
  );
  return {
    path: `${directory}/base`,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
