/** The engine of the toy: its supervisor is a shell, the container's first process its child. */
import { argumentsOf, identify, readPidFile, runCommand } from "@hpk/core/os";
import type { Engine } from "../../../packages/hpktainer/src/containers/engine.ts";
import { pathsOf } from "../../../packages/hpktainer/src/containers/paths.ts";

/** File of a container that holds the number of its supervisor. */
export const SUPERVISOR_FILE = "toy.pid";

export const toyEngine: Engine = {
  supervisor(id) {
    const pid = readPidFile(`${pathsOf(id).directory}/${SUPERVISOR_FILE}`);
    return pid !== undefined && argumentsOf(pid).includes(id) ? identify(pid) : undefined;
  },
  async kill(id, signal) {
    const init = readPidFile(pathsOf(id).pid);
    if (init !== undefined) await runCommand("/bin/kill", ["-s", String(signal), String(init)]);
  },
  async delete(id) {
    if (toyEngine.supervisor(id) !== undefined) await toyEngine.kill(id, 9);
  },
};
