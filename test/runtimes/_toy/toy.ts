/**
 * A minimal runtime: it runs the command in the image's own files with chroot(8), in the
 * container's network. It does not implement exec and attach.
 */
import { identify, pause, programInPath, readPidFile, removeIfExists } from "@hpk/core/os";
import type { Runtime } from "../../../packages/hpktainer/src/containers/runtime.ts";
import { commandOf } from "../../../packages/hpktainer/src/containers/pure/command_line.ts";
import { pathsOf } from "../../../packages/hpktainer/src/containers/paths.ts";
import { SUPERVISOR_FILE, toyEngine } from "./engine.ts";

const NSENTER = programInPath("nsenter", "install util-linux");

/**
 * The supervisor. Its arguments: the container's id, by which the engine finds it; the container's
 * directory; the network namespace; the root directory; the command.
 */
const SUPERVISOR = `
cd "$2"; network=$3 root=$4 id=$1
shift 4
rm -f go out; mkdir -p exits; mkfifo go out
sh -c 'read line < go; exec nsenter --net="$0" chroot "$@"' "$network" "$root" "$@" > out 2>&1 &
init=$!
while read -r line; do
  printf '%s stdout F %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)" "$line" >> log
  if [ -n "$FOREGROUND" ]; then printf '%s\\n' "$line"; fi
done < out &
echo $$ > ${SUPERVISOR_FILE}
echo $init > pid.new; mv pid.new pid
wait $init; code=$?
wait
echo $code > exits/$id
`;

export const toyRuntime: Runtime = {
  programs: [NSENTER],
  prepare({ id, image, options, args, config }) {
    const { directory, pid: pidFile } = pathsOf(id);
    const command = commandOf({
      entrypoint: options.entrypoint,
      args,
      imageEntrypoint: config.entrypoint,
      imageCommand: config.cmd,
    });
    return {
      warnings: ["the toy runtime keeps nothing apart but the network"],
      async make(_caller, { namespace }, { foreground }) {
        // The one of its last run.
        removeIfExists(pidFile);
        const network = typeof namespace === "string" ? "/proc/self/ns/net" : namespace.path;
        await new Deno.Command("setsid", {
          args: ["--fork", "sh", "-c", SUPERVISOR, "toy", id, directory, network, image.rootfs]
            .concat(command),
          env: { FOREGROUND: foreground ? "yes" : "" },
          stdin: "null",
          stdout: foreground ? "inherit" : "null",
          stderr: "null",
        }).spawn().status;
        while (readPidFile(pidFile) === undefined) await pause(10);
        return {
          init: identify(readPidFile(pidFile)!)!,
          supervisor: toyEngine.supervisor(id),
          streams: undefined,
          begin: () => Deno.writeTextFile(`${directory}/go`, "\n"),
        };
      },
    };
  },
};
