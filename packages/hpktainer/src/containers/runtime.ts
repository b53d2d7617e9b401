import type { ProcessId } from "@hpk/core";
import type { Program } from "@hpk/core/os";
import type { Caller } from "../shared/pure/caller.ts";
import type { ExecRequest } from "./pure/exec_flags.ts";
import type { StoredContainer } from "./pure/stored_container.ts";

/**
 * Runs stored containers. Networks, addresses, names, the ledger and the order of a start are the
 * same for all runtimes (runtimes/start.ts); what differs is behind this interface. A runtime is a
 * directory runtimes/NAME and a line in runtimes/table.ts.
 *
 * A runtime writes to the container's directory (paths.ts) the pid of its first process, its exit
 * status, and its log if it keeps the output.
 */
export interface Runtime {
  /** The programs that it requires. */
  readonly programs: readonly Program[];
  /**
   * Collects and checks as much as possible before anything is created.
   *
   * @throws {HpkError} When the container cannot be run.
   */
  prepare(container: StoredContainer): PreparedContainer;
  /**
   * Runs a command in a running container.
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
   * Connects the caller's streams to a container in the background.
   *
   * @return Undefined if it has the streams of the process that started it.
   */
  attach?(
    caller: Caller,
    container: StoredContainer,
    options: AttachOptions,
  ): CopiedStreams | undefined;
}

/** Options of connected streams. */
export interface AttachOptions {
  /** Whether the caller's input goes to the container. */
  readonly interactive: boolean;
  /** Bytes of the keys that detach. */
  readonly detachKeys: readonly number[];
}

/** A container that is ready to be created. */
export interface PreparedContainer {
  /** Requested options that have no effect. */
  readonly warnings: readonly string[];
  /**
   * Creates the container; its command does not run yet.
   *
   * @throws {HpkError} When it cannot be created. The engine then deletes the remains.
   */
  make(caller: Caller, network: GivenNetwork, mode: StartMode): Promise<MadeContainer>;
}

/** A container's network. */
export interface GivenNetwork {
  /** Path of its network namespace; "own" for an empty one, "host" for the host's. */
  readonly namespace: { readonly path: string } | "own" | "host";
  readonly hostname: string;
  /** Files that replace those of the image. */
  readonly files: {
    readonly resolvConf: string;
    readonly hosts: string;
    readonly hostname: string;
  };
  /** `NAME=value` for the container's environment. */
  readonly variables: readonly string[];
}

/** Options of a start. */
export interface StartMode {
  /** Whether we wait for it and it ends with us; else it runs in the background. */
  readonly foreground: boolean;
  /** Whether the caller's input goes to it. */
  readonly interactive: boolean;
  /** Whether `run` starts it for the first time: if that fails, it is removed. */
  readonly isNew: boolean;
}

/** A created container. */
export interface MadeContainer {
  readonly init: ProcessId;
  /** Its supervisor, as in Engine; undefined if it has already ended. */
  readonly supervisor: ProcessId | undefined;
  /** Undefined if nothing is copied: it has the caller's own streams, or runs in the background. */
  readonly streams: CopiedStreams | undefined;
  /**
   * Starts its command.
   *
   * @throws {HpkError} When it cannot be started.
   */
  begin(): Promise<void>;
}

/** Streams that are copied between a container and the caller. */
export interface CopiedStreams extends Disposable {
  /**
   * Copies until the container ends or the user detaches. Restores the terminal before it returns.
   */
  copy(): Promise<CopyEnd>;
}

/**
 * Why copying ended: the container ended; the user detached; or the other end of the caller's
 * streams is gone: then the signal that a program would get from that, and the resulting exit
 * status.
 */
export type CopyEnd =
  | "ended"
  | "detached"
  | { readonly signal: "SIGHUP" | "SIGPIPE"; readonly status: number };
