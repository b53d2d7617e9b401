import type { ProcessId } from "@hpk/core";
import type { Program } from "@hpk/core/os";
import type { Caller } from "../shared/pure/caller.ts";
import type { ExecRequest } from "./pure/exec_flags.ts";
import type { StoredContainer } from "./pure/stored_container.ts";

/**
 * What runs stored containers. Networks, addresses, names, the ledger and the order of a start are the
 * same for all of them (runtimes/start.ts); what differs is behind this. It is a directory
 * runtimes/NAME, and a line in runtimes/table.ts.
 *
 * A runtime leaves in the container's directory (paths.ts) the number of its first process, the exit
 * status, and where it keeps the output its log.
 */
export interface Runtime {
  /** The programs that it cannot do without. */
  readonly programs: readonly Program[];
  /**
   * Finds out and checks all that can be before anything is made.
   *
   * @throws {HpkError} When the container cannot be run so.
   */
  prepare(container: StoredContainer): PreparedContainer;
  /**
   * Runs a command in a container that runs.
   *
   * @param init The container's first process.
   * @return The command's exit status.
   * @throws {HpkError} When it cannot be run.
   */
  exec?(
    caller: Caller,
    container: StoredContainer,
    init: ProcessId,
    request: ExecRequest,
  ): Promise<number>;
  /**
   * Connects the caller's streams to a container that runs in the background.
   *
   * @return Undefined where its streams are those of who started it.
   */
  attach?(
    caller: Caller,
    container: StoredContainer,
    options: AttachOptions,
  ): CopiedStreams | undefined;
}

/** How streams are connected. */
export interface AttachOptions {
  /** Whether the caller's input goes to the container. */
  readonly interactive: boolean;
  /** Bytes of the keys that leave the container. */
  readonly detachKeys: readonly number[];
}

/** A container that can be made. */
export interface PreparedContainer {
  /** What is not as it was asked for. */
  readonly warnings: readonly string[];
  /**
   * Makes the container; its command does not run yet.
   *
   * @throws {HpkError} When it cannot be made. What is left of it the engine deletes.
   */
  make(caller: Caller, network: GivenNetwork, mode: StartMode): Promise<MadeContainer>;
}

/** What a container is given of a network. */
export interface GivenNetwork {
  /** Path of its network namespace; "own" for an empty one, "host" for the host's. */
  readonly namespace: { readonly path: string } | "own" | "host";
  readonly hostname: string;
  /** Files of ours that take the place of the image's. */
  readonly files: {
    readonly resolvConf: string;
    readonly hosts: string;
    readonly hostname: string;
  };
  /** `NAME=value` for the container's environment. */
  readonly variables: readonly string[];
}

/** How a container is started. */
export interface StartMode {
  /** Whether we wait for it, and it lives no longer than we do; else it goes on without us. */
  readonly foreground: boolean;
  /** Whether the caller's input goes to it. */
  readonly interactive: boolean;
  /** Whether it is started for the first time, by `run`: if that fails, nothing stays of it. */
  readonly isNew: boolean;
}

/** A container that is made. */
export interface MadeContainer {
  readonly init: ProcessId;
  /** As the engine names it; undefined when it has ended already. */
  readonly supervisor: ProcessId | undefined;
  /** Undefined where there is nothing to copy: it has the caller's own streams, or nobody waits for it. */
  readonly streams: CopiedStreams | undefined;
  /**
   * Lets its command run.
   *
   * @throws {HpkError} When it cannot be started.
   */
  begin(): Promise<void>;
}

/** Streams that are copied between a container and the caller. */
export interface CopiedStreams extends Disposable {
  /** Copies until the container ends, or its user leaves it. The terminal is as before on return. */
  copy(): Promise<CopyEnd>;
}

/**
 * Why copying ended: the container did; its user left it; or the other end of the caller's streams is
 * gone: then the signal that a program of theirs would get, and the exit status that it leads to.
 */
export type CopyEnd =
  | "ended"
  | "detached"
  | { readonly signal: "SIGHUP" | "SIGPIPE"; readonly status: number };
