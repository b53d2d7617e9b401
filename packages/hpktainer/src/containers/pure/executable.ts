import { HpkError } from "@hpk/core";
import { DEFAULT_PATH } from "./environment.ts";
import { type Look, resolveInRoot } from "./root_path.ts";

/** The command to run, and its context. */
export interface ExecutableRequest {
  /** The command's first word. */
  readonly command: string;
  /** `NAME=value`; PATH is searched. */
  readonly environment: readonly string[];
  /** Working directory, for relative paths. */
  readonly directory: string;
}

/** Reads the first few hundred bytes of a file in the container, one character per byte. */
export type ReadHead = (path: string) => string;

/** The first bytes of an ELF binary (elf(5)) and of a script (execve(2)). */
const ELF = "\x7fELF";
const SCRIPT = "#!";

/** A command that cannot be started, with Docker's exit status for it. */
export class CommandFailure extends HpkError {
  /** 126 if the command cannot be executed, 127 if it does not exist. */
  override readonly exitStatus: 126 | 127;

  constructor(command: string, exitStatus: 126 | 127, why: string) {
    super({
      what: `cannot start '${command}'`,
      why,
      fix: exitStatus === 127 ? "name a program in the image" : "name an executable program",
    });
    this.exitStatus = exitStatus;
  }
}

/**
 * Checks that a command can be executed in a container.
 *
 * @throws {CommandFailure} When the program does not exist or cannot be executed.
 */
export function checkExecutable(look: Look, readHead: ReadHead, request: ExecutableRequest): void {
  const { command } = request;
  const found = candidates(request).flatMap((path) => resolveInRoot(look, path) ?? []);
  if (found.length === 0) {
    throw new CommandFailure(command, 127, "there is no such program in the container");
  }
  const program = found.find(({ entry }) => entry.kind === "file" && entry.executable);
  if (program === undefined) {
    throw new CommandFailure(command, 126, "it is not an executable program");
  }
  const head = readHead(program.path);
  if (head.startsWith(ELF)) return;
  if (!head.startsWith(SCRIPT)) {
    throw new CommandFailure(
      command,
      126,
      "it is neither a program nor a script that begins with #!",
    );
  }
  const interpreter = /^#![ \t]*([^\s]+)/.exec(head)?.[1] ?? "";
  if (resolveInRoot(look, interpreter)?.entry.kind !== "file") {
    throw new CommandFailure(
      command,
      127,
      `its interpreter ${interpreter} is not in the container`,
    );
  }
}

function candidates({ command, environment, directory }: ExecutableRequest): string[] {
  if (command.startsWith("/")) return [command];
  if (command.includes("/")) return [`${directory}/${command}`];
  const given = environment.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length);
  return (given ?? DEFAULT_PATH).split(":").map((path) => `${path || directory}/${command}`);
}
