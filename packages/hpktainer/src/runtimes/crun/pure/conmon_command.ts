/** The command line of conmon(8), which supervises a container, and its answer. */

import { HpkError, oneLine } from "@hpk/core";
import { CommandFailure } from "../../../containers/pure/executable.ts";

/** A container for conmon to supervise. */
export interface ConmonRequest {
  readonly id: string;
  readonly name: string;
  readonly crun: string;
  readonly crunArguments: readonly string[];
  readonly paths: {
    readonly directory: string;
    readonly log: string;
    readonly exits: string;
    readonly pid: string;
    readonly conmonPid: string;
  };
  readonly terminal: boolean;
  /** Whether the container has a standard input. */
  readonly interactive: boolean;
  /** Whether its input stays open when nobody is attached. */
  readonly keepInput: boolean;
  /**
   * Where its output goes: through conmon to attached clients and the log, or directly to the
   * streams that conmon has.
   */
  readonly output: "kept" | "direct";
}

/** conmon's arguments. */
export function conmonArguments(request: ConmonRequest): string[] {
  const { id, name, paths } = request;
  const log = { kept: `k8s-file:${paths.log}`, direct: "passthrough" };
  return [
    ...["--api-version", "1", "--cid", id, "--cuuid", id, "--name", name],
    ...["--runtime", request.crun],
    ...request.crunArguments.flatMap((argument) => ["--runtime-arg", argument]),
    ...["--bundle", paths.directory, "--exit-dir", paths.exits],
    ...["--container-pidfile", paths.pid, "--conmon-pidfile", paths.conmonPid],
    ...["--log-path", log[request.output], "--log-level", "error", "--full-attach"],
    ...(request.terminal ? ["--terminal"] : []),
    ...(request.interactive ? ["--stdin"] : []),
    ...(request.keepInput ? ["--leave-stdin-open"] : []),
  ];
}

/** conmon's answer after crun has created the container, or failed to. */
export type ConmonAnswer =
  | { readonly pid: number }
  | { readonly failure: string };

/**
 * Reads conmon's answer: a line of JSON, `{"data": PID}`, or `{"data": -1, "message": "…"}`.
 *
 * @param text Empty if it ended without an answer.
 */
export function parseConmonAnswer(text: string): ConmonAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const { data, message } = (answer ?? {}) as { data?: unknown; message?: unknown };
  if (typeof data === "number" && data > 0) return { pid: data };
  return {
    failure: typeof message === "string" && message !== "" ? message : "conmon gave no answer",
  };
}

/**
 * The error for crun's message when it cannot create a container.
 *
 * @param command The container's first word.
 */
export function creationFailure(command: string, said: string): HpkError {
  const message = oneLine(said.replace(/^\S+Z?: /, "").replace(/^crun: /, ""));
  if (/executable file .* not found/i.test(message)) {
    return new CommandFailure(command, 127, "there is no such program in the container");
  }
  if (/^(open executable|exec[a-z]*|.*is not executable)\b/i.test(message)) {
    return new CommandFailure(command, 126, "it is not an executable program");
  }
  return new HpkError({
    what: "cannot create the container",
    why: `crun says: ${message}`,
    fix: "see 'hpktainer doctor', or add --crun-debug",
  });
}
