/**
 * Rows of the commands with Docker's syntax, for the table of commands and help. Their options are
 * in `run_flags.ts` and `exec_flags.ts`, which are loaded only where needed.
 */

import type { Command } from "@hpk/core/commands";

/** A row without its action. */
export type CommandText = Pick<
  Command<never>,
  "name" | "summary" | "details" | "arguments" | "examples"
>;

const IMAGE_COMMAND = [
  { name: "IMAGE" },
  { name: "COMMAND", optional: true },
  { name: "ARG", optional: true, many: true },
] as const;

const IMAGE_NAMES =
  `IMAGE is alpine, quay.io/org/name:tag, name@sha256:…, docker://…, oci:DIR:TAG, oci-archive:FILE or
docker-archive:FILE. Options must precede the image.`;

/** `container run`, also `run --runtime crun`. */
export const RUN: CommandText = {
  name: "run",
  summary: "run a container of an OCI image, with its own IP address on the host's pod network",
  details: `${IMAGE_NAMES}

Exit status: the container's own; 125 when hpktainer fails, 126 when the command cannot be run, 127
when it does not exist, 128 and the signal's number when one ends it.`,
  arguments: IMAGE_COMMAND,
  examples: [["A shell", "hpktainer run --runtime crun -it -v ./data:/data:ro alpine sh"]],
};

/** `container create`. */
export const CREATE: CommandText = {
  name: "create",
  summary: "create a container of an OCI image; 'hpktainer container start' starts it",
  details: IMAGE_NAMES,
  arguments: IMAGE_COMMAND,
  examples: [["A service", "hpktainer container create --name web -p 8080:80 nginx"]],
};

/** `container exec`. */
export const EXEC: CommandText = {
  name: "exec",
  summary: "run a command in a running container",
  details: "Options must precede the container.",
  arguments: [
    { name: "CONTAINER", completes: "containers" },
    { name: "COMMAND" },
    { name: "ARG", optional: true, many: true },
  ],
  examples: [["A shell", "hpktainer container exec -it web sh"]],
};
