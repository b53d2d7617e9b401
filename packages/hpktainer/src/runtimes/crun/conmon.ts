/**
 * conmon, one process of 2 MB per container: it is the parent of the container's first process,
 * keeps its output, holds its terminal, and writes its exit status to a file. It runs as long as
 * the container, even if we do not.
 */

import { HpkError, type ProcessId } from "@hpk/core";
import {
  openPipe,
  type OverlayMount,
  readSome,
  setInheritable,
  startInMountNamespace,
  SystemCallError,
  waitReadableAside,
} from "@hpk/core/ffi";
import {
  faultPoint,
  identify,
  logProgram,
  programInPath,
  readFileIfExists,
  requireProgram,
} from "@hpk/core/os";
import {
  conmonArguments,
  type ConmonRequest,
  creationFailure,
  parseConmonAnswer,
} from "./pure/conmon_command.ts";
import { overlayOptions } from "./pure/spec_mounts.ts";
import { CONTAINERS_DIRECTORY } from "../../containers/paths.ts";
import { crunArguments, crunPath, crunPathsOf, identifyConmon } from "./engine.ts";
import type { CrunContainer } from "./prepare.ts";

/** conmon, also at the paths of podman's packages. */
export const CONMON_PROGRAM = programInPath("conmon", "install conmon (package conmon)", [
  "/usr/libexec/podman",
  "/usr/lib/podman",
]);

/** How a container's streams are connected. */
export interface StreamChoice {
  readonly output: ConmonRequest["output"];
  readonly interactive: boolean;
  readonly keepInput: boolean;
}

/** The processes of a container. */
export interface ContainerProcesses {
  /** Its first process. */
  readonly init: ProcessId;
  /** conmon; undefined if it has already ended. */
  readonly conmon: ProcessId | undefined;
}

/**
 * Creates a container under its own conmon; its command does not run yet.
 *
 * @throws {HpkError} When crun cannot create it.
 */
export async function createUnderConmon(
  prepared: CrunContainer,
  streams: StreamChoice,
): Promise<ContainerProcesses> {
  const { id } = prepared.container;
  const answer = parseConmonAnswer(await startConmon(prepared, streams));
  faultPoint("crun.created");
  if ("failure" in answer) {
    // If the container has our streams, conmon cannot read crun's messages.
    const said = readFileIfExists(crunPathsOf(id).crunLog) || answer.failure;
    throw creationFailure(prepared.command[0]!, said);
  }
  const init = identify(answer.pid);
  if (init === undefined) {
    throw creationFailure(prepared.command[0]!, "its first process ended at once");
  }
  return { init, conmon: identifyConmon(id) };
}

/** Starts conmon and waits for its answer: a line of JSON, or nothing. */
async function startConmon(prepared: CrunContainer, streams: StreamChoice): Promise<string> {
  const { container } = prepared;
  const paths = crunPathsOf(container.id);
  const conmon = requireProgram(CONMON_PROGRAM);
  const { reader, writer } = openPipe();
  using _reader = reader;
  let child: Deno.ChildProcess;
  let ended: ReturnType<typeof logProgram>;
  {
    using _writer = writer;
    setInheritable(writer.fd, true);
    const args = conmonArguments({
      id: container.id,
      name: container.name,
      crun: crunPath(),
      crunArguments: [
        ...(container.options.debug ? ["--debug"] : ["--log", `file:${paths.crunLog}`]),
        ...crunArguments(prepared.cgroups.mode !== "none"),
      ],
      paths,
      terminal: container.options.terminal,
      ...streams,
    });
    const command = new Deno.Command(conmon, {
      args,
      cwd: paths.directory,
      env: { _OCI_SYNCPIPE: String(writer.fd) },
      stdin: streams.output === "direct" && streams.interactive ? "inherit" : "null",
      stdout: streams.output === "direct" ? "inherit" : "null",
      stderr: streams.output === "direct" || container.options.debug ? "inherit" : "null",
    });
    const devices = prepared.restrictsDevices || container.options.security.privileged;
    const options = overlayOptions({
      lower: container.image.rootfs,
      upper: paths.upper,
      work: paths.work,
    });
    // crun refuses hierarchies of both versions at once; with version 2 hidden it uses version 1.
    const { second } = prepared.cgroups;
    const hidden = second === undefined ? [] : [second];
    child = inMounts(
      { target: paths.rootfs, options, devices },
      hidden,
      () => command.spawn(),
    );
    ended = logProgram([conmon, ...args], child.pid);
  }
  const [answer, { code }] = await Promise.all([readLine(reader.fd), child.status]);
  ended(code);
  if (answer === "" && code !== 0) return JSON.stringify({ data: -1, message: `conmon: ${code}` });
  return answer;
}

function inMounts<T>(
  overlay: OverlayMount,
  hidden: readonly string[],
  start: () => T,
): T {
  try {
    return startInMountNamespace(overlay, hidden, start);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new HpkError({
      what: "cannot create the container's file system",
      why: error.message,
      fix:
        `put ${CONTAINERS_DIRECTORY} on a file system that supports overlays as their upper layer, ` +
        "such as ext4 or xfs",
    }, { cause: error });
  }
}

/** Reads until a line is complete, or the other end is closed. */
async function readLine(fd: number): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes("\n")) {
    await waitReadableAside([fd]);
    const count = readSome(fd, buffer);
    if (count === 0) break;
    if (count !== undefined) text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}
