/**
 * conmon, one process of 2 MB for each container: it is the parent of the container's first process,
 * keeps its output, holds its terminal, and leaves its exit status in a file. It is there as long as
 * the container, whatever becomes of us.
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

/** conmon, also where podman's packages put it. */
export const CONMON_PROGRAM = programInPath("conmon", "install conmon (package conmon)", [
  "/usr/libexec/podman",
  "/usr/lib/podman",
]);

/** How a container's streams are made. */
export interface StreamChoice {
  readonly output: ConmonRequest["output"];
  readonly interactive: boolean;
  readonly keepInput: boolean;
}

/** Processes of a container. */
export interface ContainerProcesses {
  /** Its first process. */
  readonly init: ProcessId;
  /** conmon; undefined when it has ended already. */
  readonly conmon: ProcessId | undefined;
}

/**
 * Makes a container under a conmon of its own; its command does not run yet.
 *
 * @throws {HpkError} When crun cannot make it.
 */
export async function createUnderConmon(
  prepared: CrunContainer,
  streams: StreamChoice,
): Promise<ContainerProcesses> {
  const { id } = prepared.container;
  const answer = parseConmonAnswer(await startConmon(prepared, streams));
  faultPoint("crun.created");
  if ("failure" in answer) {
    // Where the container has our streams, conmon has none to read crun's messages from.
    const said = readFileIfExists(crunPathsOf(id).crunLog) || answer.failure;
    throw creationFailure(prepared.command[0]!, said);
  }
  const init = identify(answer.pid);
  if (init === undefined) {
    throw creationFailure(prepared.command[0]!, "its first process ended at once");
  }
  return { init, conmon: identifyConmon(id) };
}

/** Starts conmon and waits for what it has to say: a line of JSON, or nothing. */
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
    // crun refuses trees of both versions at once; where the second is hidden it uses the first.
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
      what: "cannot make the container's file system",
      why: error.message,
      fix: `let ${CONTAINERS_DIRECTORY} be on a file system that overlays can be written to, ` +
        "such as ext4 or xfs",
    }, { cause: error });
  }
}

/** Reads until a line has come, or the other end is closed. */
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
