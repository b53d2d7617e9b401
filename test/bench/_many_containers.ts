/**
 * Attaches many containers to a host, one after the other, and times each. A script that becomes
 * `sleep` replaces Apptainer: only our own work is timed, and a thousand of them fit on a small
 * machine.
 */
import type { Place, PrivateHost } from "../harness/mod.ts";

/** Room for 4,093 containers. */
export const SUBNET = "10.96.0.0/20";

const DIRECTORY = "/etc/stand-in";

/** Signals by its last argument that it has started, then sleeps. */
const STAND_IN = `#!/bin/sh
for last; do :; done
echo "$last" > ${DIRECTORY}/begun
exec sleep 86400
`;

/**
 * Starts containers one after the other; prints how long each took until its command began, in µs.
 */
const DRIVER = `
count=$1; shift
exec 9<> ${DIRECTORY}/begun
for ((number = 1; number <= count; number++)); do
  begin=\${EPOCHREALTIME/./}
  "$@" $number < /dev/null > /dev/null 2>> ${DIRECTORY}/errors 9>&- &
  read -r begun <&9
  echo $((\${EPOCHREALTIME/./} - begin))
  [[ $begun == "$number" ]] || { echo "container $begun began in the place of $number" >&2; exit 1; }
done
`;

/** Prepares a host for {@linkcode attachMany}. */
export async function prepare(host: Place): Promise<void> {
  await host.sh(
    `mkdir ${DIRECTORY} && mkfifo ${DIRECTORY}/begun
    cat > ${DIRECTORY}/apptainer && chmod 755 ${DIRECTORY}/apptainer`,
    { stdin: STAND_IN },
  );
}

/** The environment in which the stand-in is found. */
export function standInEnv(): Record<string, string> {
  return { PATH: `${DIRECTORY}:${Deno.env.get("PATH")}` };
}

/**
 * Attaches containers, which live on.
 *
 * @param hpktainer Path of the program.
 * @return How long each took, in ms.
 */
export async function attachMany(
  host: PrivateHost,
  hpktainer: string,
  count: number,
): Promise<number[]> {
  const start = [hpktainer, "exec", "--subnet", SUBNET, "/"];
  const { stdout } = await host.run("bash", ["-c", DRIVER, "driver", String(count), ...start], {
    env: standInEnv(),
    timeoutMs: 1_800_000,
  });
  return stdout.trim().split("\n").map((line) => Number(line) / 1000);
}

/** Ends every container of {@linkcode attachMany}; their networks are released then. */
export async function endAll(host: PrivateHost): Promise<void> {
  await host.sh("for pid in $(busybox pidof sleep); do kill $pid || :; done");
}
