import type { ContainerRecord, ProcessId } from "@hpk/core";
import type { ImageConfig } from "../../images/pure/image_config.ts";
import type { RunOptions } from "./run_flags.ts";

/** A container as stored on disk, so that it can be started again and inspected after its end. */
export interface StoredContainer {
  /** Version of this format. */
  readonly version: 1;
  /** Twelve hexadecimal digits; also the id of its record in the ledger while it runs. */
  readonly id: string;
  readonly name: string;
  /** Name of the runtime that runs it. */
  readonly runtime: string;
  /** ISO 8601 in UTC. */
  readonly created: string;
  /** When it was last started; null before the first time. */
  readonly started: string | null;
  readonly image: {
    /** As the user named it. */
    readonly given: string;
    readonly reference: string;
    readonly digest: string;
    readonly id: string;
    /** Directory of the image's files. */
    readonly rootfs: string;
  };
  readonly config: ImageConfig;
  readonly options: RunOptions;
  /** The arguments after the image. */
  readonly args: readonly string[];
  /** The base directory of relative paths. */
  readonly directory: string;
  /** The process that creates it; null once created. If that process dies, the rest is removed. */
  readonly maker: ProcessId | null;
}

/** The runtime of containers stored before runtimes were recorded. */
export const FIRST_RUNTIME = "crun";

/** A container and its state. */
export interface FoundContainer {
  readonly container: StoredContainer;
  readonly status: ContainerStatus;
  /** Its record in the ledger; undefined when it does not run. */
  readonly record: ContainerRecord | undefined;
  /** Undefined until it has ended. */
  readonly exitCode: number | undefined;
  /** When it ended, ISO 8601; undefined if that was not observed. */
  readonly finished: string | undefined;
}

/** The status of a container, as named by Docker. */
export type ContainerStatus = "created" | "running" | "stopping" | "exited";

/** What the status depends on besides the stored container. */
export interface ContainerLife {
  /** Whether its record is in the ledger and its owner alive. */
  readonly alive: boolean;
  /** The phase of its record; undefined if it has none. */
  readonly phase: "starting" | "running" | "stopping" | undefined;
  /** Its exit status; undefined if unknown. */
  readonly exitCode: number | undefined;
}

/** The status of a container. */
export function statusOf(container: StoredContainer, life: ContainerLife): ContainerStatus {
  if (life.phase === "stopping") return "stopping";
  if (life.phase !== undefined && life.alive) return "running";
  return container.started === null ? "created" : "exited";
}

/**
 * Exit status of a container whose end was not observed, as after a crash of the host; as in
 * Docker.
 */
export const UNSEEN_EXIT = 255;

/**
 * Reads a stored container.
 *
 * @throws {SyntaxError} When it is invalid or of another version.
 */
export function parseStoredContainer(text: string): StoredContainer {
  const value: unknown = JSON.parse(text);
  const container = value as StoredContainer;
  if (typeof value === "object" && value !== null && container.version === 1) {
    return { ...container, runtime: container.runtime ?? FIRST_RUNTIME };
  }
  throw new SyntaxError("it is not a container of version 1");
}
