import { type Option, scanOptions } from "@hpk/core/options";
import { HpkError } from "@hpk/core";
import { type ReadOptionFile, readVariable, readVariableFile } from "./environment.ts";
import type { Caller } from "../../shared/pure/caller.ts";

/** A command to run in a running container. */
export interface ExecRequest {
  readonly interactive: boolean;
  readonly terminal: boolean;
  readonly detach: boolean;
  readonly privileged: boolean;
  /** `NAME=value`, or `NAME` to remove one. */
  readonly environment: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  /** The container's name or id. */
  readonly container: string;
  readonly command: readonly string[];
}

/** Options of `container exec`. */
export const EXEC_FLAGS: readonly Option[] = [
  { name: "interactive", letter: "i", help: "keep standard input open" },
  { name: "tty", letter: "t", help: "give it a terminal" },
  { name: "detach", letter: "d", help: "run it in the background" },
  { name: "env", letter: "e", value: "K[=V]", help: "set a variable, or pass on the caller's" },
  { name: "env-file", value: "FILE", help: "read variables from a file" },
  { name: "workdir", letter: "w", value: "DIR", help: "working directory" },
  { name: "user", letter: "u", value: "USER[:GROUP]", help: "user and group, as names or numbers" },
  { name: "privileged", help: "all capabilities" },
  {
    name: "detach-keys",
    value: "KEYS",
    refused: ["you cannot detach from a command in a container", "use -d, or end it"],
  },
  { name: "help", help: "show this help" },
];

/**
 * Reads the arguments of `container exec`.
 *
 * @param caller The caller, whose variables `--env NAME` passes on.
 * @param readFile Reads a file named by an option.
 * @return Undefined for --help.
 * @throws {HpkError} When the arguments are invalid.
 */
export function readExec(
  words: readonly string[],
  caller: Pick<Caller, "environment">,
  readFile: ReadOptionFile,
): ExecRequest | undefined {
  const { values, operands } = scanOptions(words, EXEC_FLAGS, {
    command: "hpktainer container exec",
  });
  if (values.has("help")) return undefined;
  const all = (name: string) => values.get(name) ?? [];
  const isOn = (name: string) => all(name).at(-1) === "true";
  const [container, ...command] = operands;
  if (container === undefined || command.length === 0) {
    throw new HpkError({
      what: "cannot run 'hpktainer container exec'",
      why: container === undefined ? "no container is named" : "no command is named",
      fix: "write hpktainer container exec [OPTIONS] CONTAINER COMMAND [ARG...]",
    });
  }
  const workingDirectory = all("workdir").at(-1);
  if (workingDirectory !== undefined && !workingDirectory.startsWith("/")) {
    throw new HpkError({
      what: `cannot use -w '${workingDirectory}'`,
      why: "the path in the container is not absolute",
      fix: "begin it with /",
    });
  }
  return {
    interactive: isOn("interactive"),
    terminal: isOn("tty"),
    detach: isOn("detach"),
    privileged: isOn("privileged"),
    environment: [
      ...all("env-file").flatMap((path) =>
        readVariableFile(path, readFile("--env-file", path), caller.environment)
      ),
      ...all("env").map((text) => readVariable(text, caller.environment)),
    ],
    workingDirectory,
    user: all("user").at(-1),
    container,
    command,
  };
}
