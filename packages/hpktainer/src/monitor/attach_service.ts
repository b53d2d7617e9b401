/**
 * The monitor's side of a start: it attaches whoever asks, with code that has run before. It learns
 * from the kernel who that is and what it was asked to do; nobody tells it anything. What it cannot do,
 * or not in the same way, it declines, and the start does it itself: so errors are reported there.
 */

import { wantedMode } from "../network/pure/network_plan.ts";
import {
  acceptUnix,
  type FileDescriptor,
  peerCredentials,
  setThreadPriority,
  SystemCallError,
  waitReadable,
  writeText,
} from "@hpk/core/ffi";
import { findProgramIn, identify, type Ledger, PROGRAMS } from "@hpk/core/os";
import { type ProcessContext, readProcessContext } from "./process_context.ts";
import { apptainerVariables } from "../runtimes/apptainer/apptainer.ts";
import { readConfiguration } from "../settings/configuration.ts";
import { type ContainerInvocation, readArguments } from "../arguments/arguments.ts";
import {
  apptainerEnvironment,
  commandInNamespace,
} from "../runtimes/apptainer/pure/apptainer_command.ts";
import { asksForRuntime } from "../arguments/runtime_words.ts";
import type { StartOrder } from "./pure/start_order.ts";
import { attachAsAsked, checkImage } from "../runtimes/apptainer/start.ts";
import { takeDown } from "../attach/teardown.ts";

/** The monitor has a lower priority than what it watches; starts wait for this thread. */
const USUAL_PRIORITY = 0;

/**
 * Attaches whoever asks, one after the other.
 *
 * @param listener A listening socket.
 */
export async function serveStarts(ledger: Ledger, listener: FileDescriptor): Promise<never> {
  setThreadPriority(USUAL_PRIORITY);
  const own = readProcessContext("self");
  for (;;) {
    waitReadable([listener.fd], -1);
    using connection = acceptUnix(listener.fd);
    if (connection !== undefined) await serve(ledger, own, connection);
  }
}

async function serve(
  ledger: Ledger,
  own: ProcessContext,
  connection: FileDescriptor,
): Promise<void> {
  const { pid, uid } = peerCredentials(connection.fd);
  // Nothing is sent to us: what can be read is the end.
  const hasHungUp = waitReadable([connection.fd], 0).length > 0;
  const served = uid === 0 && !hasHungUp ? await attachProcess(ledger, own, pid) : undefined;
  try {
    writeText(connection.fd, JSON.stringify(served?.order ?? null));
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (served !== undefined) await takeDown(ledger, ({ id }) => id === served.id);
  }
}

/** Attaches a process; undefined where it has to do that itself. */
async function attachProcess(
  ledger: Ledger,
  own: ProcessContext,
  pid: number,
): Promise<{ readonly id: string; readonly order: StartOrder } | undefined> {
  try {
    const asking = readProcessContext(pid);
    const owner = identify(pid);
    if (owner === undefined || !isAlike(own, asking)) return undefined;
    const { environment, workingDirectory } = asking;
    const invocation = readArguments(asking.argv.slice(1));
    if (invocation.kind !== "container" || isSpecial(invocation)) return undefined;
    // A path that begins in another directory than ours is for the start to follow.
    if (!isAbsolute(environment["HPK_CONFIG"])) return undefined;
    const { settings } = readConfiguration(invocation.network.settings, environment);
    const apptainer = findProgramIn(environment["PATH"] ?? "", PROGRAMS.apptainer);
    const mode = wantedMode(settings);
    const isPlain = mode !== "host" && mode !== "none" && settings.wait === 0 &&
      isAbsolute(settings.flannelEnv);
    if (!isPlain || apptainer === undefined) return undefined;
    checkImage(invocation.image, workingDirectory);
    const attachment = await attachAsAsked(ledger, invocation, settings, owner);
    const order = {
      path: apptainer,
      argv: ["apptainer", ...commandInNamespace(invocation, attachment)],
      environment: apptainerVariables(apptainerEnvironment(attachment), environment, pid),
    };
    return { id: attachment.record.id, order };
  } catch {
    // Whatever it is, the start meets it too, and reports it.
    return undefined;
  }
}

/** Whether a process is this program in the same surroundings, so that it would do what we do. */
function isAlike(own: ProcessContext, asking: ProcessContext): boolean {
  const same = ["CNI_PATH", "HPK_FAULT_TRACE", "HPK_FAULT_KILL"];
  return own.program === asking.program && own.rootDirectory === asking.rootDirectory &&
    own.namespaces.every((namespace, index) => namespace === asking.namespaces[index]) &&
    same.every((name) => own.environment[name] === asking.environment[name]) &&
    !asksForRuntime(asking.argv, asking.environment["HPK_RUNTIME"]);
}

/** Whether a path, if there is one, means the same in every directory. */
function isAbsolute(path = ""): boolean {
  return path === "" || path.startsWith("/");
}

/** What starts otherwise than by becoming Apptainer. */
function isSpecial({ verb, boot }: ContainerInvocation): boolean {
  return boot !== undefined || verb.startsWith("instance");
}
