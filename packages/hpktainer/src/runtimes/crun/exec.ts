import type { ProcessId } from "@hpk/core";
import { execInPlace, inputFromNothing, pipeHolding } from "@hpk/core/ffi";
import { findAccount } from "../../containers/pure/accounts.ts";
import { mergeEnvironment } from "../../containers/pure/environment.ts";
import { checkExecutable } from "../../containers/pure/executable.ts";
import type { ExecRequest } from "../../containers/pure/exec_flags.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import { type OciSpec, type SpecProcess, specText } from "./pure/oci_spec.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { crunArguments, crunPath, crunPathsOf } from "./engine.ts";
import { mustBeCopied, runOnTerminal, runWithCopies } from "../../containers/child_streams.ts";
import { lookInto, readHead, readInRoot } from "../../containers/image_files.ts";
import { ownCapabilities } from "./prepare.ts";

/**
 * Runs a command in a running container. If the caller's streams can be passed on, this process
 * becomes crun, so that exit status, signals and streams are crun's own.
 *
 * @param init The container's first process.
 * @return The command's exit status.
 * @throws {HpkError} When the command cannot be run.
 */
export async function execInContainer(
  caller: Caller,
  container: StoredContainer,
  init: ProcessId,
  request: ExecRequest,
): Promise<number> {
  const paths = crunPathsOf(container.id);
  const root = `/proc/${init.pid}/root`;
  const spec: OciSpec = JSON.parse(Deno.readTextFileSync(paths.spec));
  const process = processOf(request, spec.process, root);
  checkExecutable(lookInto([root]), (path) => readHead([root], path), {
    command: request.command[0]!,
    environment: process.env,
    directory: process.cwd,
  });
  // crun reads the memory file: another file would have to be removed later.
  const description = `/proc/self/fd/${pipeHolding(specText(process))}`;
  const args = (more: readonly string[]) => [
    ...crunArguments(true),
    "exec",
    ...["--process", description],
    ...more,
    container.id,
  ];
  if (request.detach) return become(args(["--detach"]), false);
  if (request.terminal) {
    return await runOnTerminal(
      caller.streams,
      (options) => [crunPath(), ...args(options)],
      paths.directory,
      request.interactive,
    );
  }
  const { stdin, stdout, stderr } = caller.streams;
  const streams = request.interactive ? [stdin, stdout, stderr] : [stdout, stderr];
  return streams.some(mustBeCopied)
    ? await runWithCopies(caller.streams, [crunPath(), ...args([])], request.interactive)
    : become(args([]), request.interactive);
}

/** Replaces this process by crun. */
function become(args: readonly string[], interactive: boolean): never {
  if (!interactive) inputFromNothing();
  return execInPlace(crunPath(), ["crun", ...args]);
}

function processOf(request: ExecRequest, own: SpecProcess, root: string): SpecProcess {
  const account = request.user === undefined ? undefined : findAccount(
    request.user,
    readInRoot([root], "/etc/passwd"),
    readInRoot([root], "/etc/group"),
    [],
  );
  const capabilities = request.privileged ? ownCapabilities() : undefined;
  return {
    ...own,
    terminal: request.terminal,
    args: request.command,
    cwd: request.workingDirectory ?? own.cwd,
    env: mergeEnvironment(
      own.env,
      request.terminal ? ["TERM=xterm"] : [],
      account === undefined ? [] : [`HOME=${account.home}`],
      request.environment,
    ),
    ...(account === undefined ? {} : {
      user: { uid: account.uid, gid: account.gid, additionalGids: account.groups },
    }),
    ...(capabilities === undefined ? {} : {
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    }),
  };
}
