/**
 * The monitor's side of a start: it attaches its clients, with code that is warm. It reads from the
 * kernel which process a client is and its arguments; clients do not send anything. It declines
 * what it cannot do, or not in the same way; the start then does it itself, and so reports the
 * errors.
 */

import { wantedMode } from "../network/pure/network_plan.ts";
import {
  acceptUnix,
  type FileDescriptor,
  type PeerCredentials,
  peerCredentials,
  setThreadPriority,
  SystemCallError,
  waitReadable,
  writeText,
} from "@hpk/core/ffi";
import { LOG_VARIABLE, parseLogLevel } from "@hpk/core";
import { identify, type Ledger } from "@hpk/core/os";
import { type ProcessContext, readProcessContext } from "./process_context.ts";
import { apptainerVariables, requireApptainer } from "../runtimes/apptainer/apptainer.ts";
import { readConfiguration } from "../settings/configuration.ts";
import { asksForDebug, type ContainerInvocation, readArguments } from "../arguments/arguments.ts";
import {
  apptainerEnvironment,
  commandInNamespace,
} from "../runtimes/apptainer/pure/apptainer_command.ts";
import { asksForRuntime } from "../arguments/runtime_words.ts";
import { type Caller, NO_STREAMS } from "../shared/pure/caller.ts";
import type { StartOrder } from "./pure/start_order.ts";
import { attachAsAsked, checkImage } from "../runtimes/apptainer/start.ts";
import { takeDown } from "../attach/teardown.ts";

/** The monitor has a lower priority than what it watches; but starts wait for this thread. */
const USUAL_PRIORITY = 0;

/**
 * Attaches clients, one after the other.
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
  const peer = peerCredentials(connection.fd);
  // Clients send nothing: a readable connection has ended.
  const hasHungUp = waitReadable([connection.fd], 0).length > 0;
  const served = peer.uid === 0 && !hasHungUp ? await attachProcess(ledger, own, peer) : undefined;
  try {
    writeText(connection.fd, JSON.stringify(served?.order ?? null));
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (served !== undefined) await takeDown(ledger, ({ id }) => id === served.id);
  }
}

/** Attaches a process; undefined if it must do that itself. */
async function attachProcess(
  ledger: Ledger,
  own: ProcessContext,
  { pid, uid, gid }: PeerCredentials,
): Promise<{ readonly id: string; readonly order: StartOrder } | undefined> {
  try {
    const asking = readProcessContext(pid);
    const process = identify(pid);
    if (process === undefined || !isAlike(own, asking)) return undefined;
    const { environment, workingDirectory: directory } = asking;
    const caller: Caller = { uid, gid, environment, directory, process, streams: NO_STREAMS };
    const words = asking.argv.slice(1);
    if (showsSteps(words, environment)) return undefined;
    const invocation = readArguments(words);
    if (invocation.kind !== "container" || isSpecial(invocation)) return undefined;
    const { settings } = readConfiguration(caller, invocation.network.settings);
    const mode = wantedMode(settings);
    if (mode === "host" || mode === "none" || settings.wait > 0) return undefined;
    checkImage(caller, invocation.image);
    const attachment = await attachAsAsked(ledger, caller, invocation, settings, true);
    const order = {
      path: requireApptainer(caller),
      argv: ["apptainer", ...commandInNamespace(invocation, attachment)],
      environment: apptainerVariables(caller, apptainerEnvironment(attachment)),
    };
    return { id: attachment.record.id, order };
  } catch {
    // The start will meet the same error and report it.
    return undefined;
  }
}

/**
 * Whether a process is this program in the same environment, so that it would do the same as we.
 */
function isAlike(own: ProcessContext, asking: ProcessContext): boolean {
  const same = ["CNI_PATH", "HPK_FAULT_TRACE", "HPK_FAULT_KILL"];
  return own.program === asking.program && own.rootDirectory === asking.rootDirectory &&
    own.namespaces.every((namespace, index) => namespace === asking.namespaces[index]) &&
    same.every((name) => own.environment[name] === asking.environment[name]) &&
    !asksForRuntime(asking.argv, asking.environment["HPK_RUNTIME"]);
}

/** Whether a start must log its steps, for which it must take them itself. */
function showsSteps(words: readonly string[], environment: ProcessContext["environment"]): boolean {
  const level = parseLogLevel(environment[LOG_VARIABLE]);
  return level === "info" || level === "debug" || asksForDebug(words);
}

/** Options of starts that do not simply become Apptainer. */
function isSpecial({ verb, boot }: ContainerInvocation): boolean {
  return boot !== undefined || verb.startsWith("instance");
}
