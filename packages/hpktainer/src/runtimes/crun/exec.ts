import type { ProcessId } from "@hpk/core";
import { execInPlace, inputFromNothing, pipeHolding } from "@hpk/core/ffi";
import { findAccount } from "../../containers/pure/accounts.ts";
import { mergeEnvironment } from "../../containers/pure/environment.ts";
import { checkExecutable } from "../../containers/pure/executable.ts";
import { execHelp } from "../../containers/pure/run_help.ts";
import { type ExecRequest, readExec } from "../../containers/pure/exec_flags.ts";
import { type OciSpec, type SpecProcess, specText } from "./pure/oci_spec.ts";
import { readOptionFile } from "../../containers/option_file.ts";
import { type Caller, requireTerminal } from "../../shared/pure/caller.ts";
import { writeText } from "../../shared/streams.ts";
import { pathsOf } from "../../containers/paths.ts";
import { findRunning, firstProcessOf, requireRootForContainers } from "../../containers/store.ts";
import { crunArguments, crunPath } from "../../containers/engines/crun.ts";
import { mustBeCopied, runOnTerminal, runWithCopies } from "./exec_streams.ts";
import { lookInto, readHead, readInRoot } from "../../containers/image_files.ts";
import { ownCapabilities } from "./prepare.ts";

/**
 * Runs a command in a container that runs. Where our streams can be given away, this process becomes
 * crun, so that exit status, signals and streams are crun's own.
 *
 * @param words What follows `container exec`.
 * @return The command's exit status.
 * @throws {HpkError} When it cannot be run.
 */
export async function execInContainer(
  caller: Caller,
  words: readonly string[],
): Promise<number> {
  const request = readExec(words, caller, readOptionFile(caller));
  if (request === undefined) {
    writeText(caller.streams.stdout, execHelp());
    return 0;
  }
  requireRootForContainers(caller);
  if (!request.detach) requireTerminal(caller, request.terminal);
  const { container } = findRunning(request.container, "exec in");
  const root = rootOf(firstProcessOf(container.id, "exec in"));
  const spec: OciSpec = JSON.parse(Deno.readTextFileSync(pathsOf(container.id).spec));
  const process = processOf(request, spec.process, root);
  checkExecutable(lookInto([root]), (path) => readHead([root], path), {
    command: request.command[0]!,
    environment: process.env,
    directory: process.cwd,
  });
  // crun reads it from there: a file would have to be removed by somebody.
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
    const { directory } = pathsOf(container.id);
    return await runOnTerminal(caller.streams, args, directory, request.interactive);
  }
  const { stdin, stdout, stderr } = caller.streams;
  const streams = request.interactive ? [stdin, stdout, stderr] : [stdout, stderr];
  return streams.some(mustBeCopied)
    ? await runWithCopies(caller.streams, args([]), request.interactive)
    : become(args([]), request.interactive);
}

/** Becomes crun. */
function become(args: readonly string[], interactive: boolean): never {
  if (!interactive) inputFromNothing();
  return execInPlace(crunPath(), ["crun", ...args]);
}

/** The container's root directory, as the host reaches it. */
function rootOf(init: ProcessId): string {
  return `/proc/${init.pid}/root`;
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
