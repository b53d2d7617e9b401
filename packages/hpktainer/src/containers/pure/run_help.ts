import { optionLines } from "@hpk/core/command-help";
import { EXEC_FLAGS } from "./exec_flags.ts";
import { ALL_RUN_FLAGS } from "./run_flags.ts";

/** What `run --runtime crun --help` and `container create --help` print. */
export function runHelp(command: "run" | "create"): string {
  const usage = command === "run" ? "run --runtime crun" : "container create";
  return `Usage: hpktainer ${usage} [OPTIONS] IMAGE [COMMAND] [ARG...]

${
    command === "run"
      ? "Runs a container of an OCI image, with an IP address of its own on the host's pod network."
      : "Makes a container of an OCI image; 'hpktainer container start' starts it."
  }
IMAGE is alpine, quay.io/org/name:tag, name@sha256:…, docker://…, oci:DIR:TAG, oci-archive:FILE or
docker-archive:FILE. Options end at the image.

${optionLines(ALL_RUN_FLAGS)}
Exit status: the container's own; 125 when hpktainer fails, 126 when the command cannot be run, 127
when there is none, 128 and the signal's number when one ends it.

Example:
  hpktainer run --runtime crun -it -v ./data:/data:ro alpine sh
`;
}

/** What `container exec --help` prints. */
export function execHelp(): string {
  return `Usage: hpktainer container exec [OPTIONS] CONTAINER COMMAND [ARG...]

Runs a command in a container that runs. Options end at the container.

${optionLines(EXEC_FLAGS)}
Example:
  hpktainer container exec -it web sh
`;
}
