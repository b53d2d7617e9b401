/**
 * images/hpktainer-base, built offline: its own .def and entrypoint over a directory with busybox and
 * the C library of this machine.
 */
import { apptainerEnv, findProgram, images, machine } from "../harness/mod.ts";
import { NET_DAEMON } from "./_daemon.ts";

const SOURCES = new URL("../../images/hpktainer-base/", import.meta.url).pathname;

const SCRIPT = `
cp -a "$ROOTFS" rootfs
for library in $(ldd "$NET_DAEMON" | grep -o '/[^ ]*'); do
  mkdir -p "rootfs$(dirname "$library")"
  cp -L "$library" "rootfs$library"
done
cp "$NET_DAEMON" hpk-net-daemon
cp "$SOURCES/entrypoint.sh" "$SOURCES/hpktainer-base.def" .
apptainer -q build --build-arg BOOTSTRAP=localimage --build-arg FROM="$PWD/rootfs" base.sif hpktainer-base.def
rm -r rootfs hpk-net-daemon
`;

/** A built image, and the directory that goes with it. */
export interface BaseImage extends AsyncDisposable {
  readonly path: string;
}

/** Builds the image. */
export async function buildBaseImage(): Promise<BaseImage> {
  const { rootfs } = await images();
  if (findProgram("ldd") === undefined) throw new Error("ldd is not installed");
  const directory = await Deno.makeTempDir({ prefix: "hpktainer-base-" });
  await Deno.chmod(directory, 0o755);
  await machine.sh(SCRIPT, {
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
  });
  return {
    path: `${directory}/base.sif`,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
