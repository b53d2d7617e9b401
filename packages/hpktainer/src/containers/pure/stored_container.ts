import type { ContainerRecord, ProcessId } from "@hpk/core";
import type { ImageConfig } from "../../images/pure/image_config.ts";
import type { RunOptions } from "./run_flags.ts";

/** A container as it is kept on disk, so that it can be started again and asked about when it has ended. */
export interface StoredContainer {
  /** Version of this form. */
  readonly version: 1;
  /** Twelve hexadecimal digits; also that of its record in the ledger while it runs. */
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
  /** What stood behind the image. */
  readonly args: readonly string[];
  /** The directory that relative paths are relative to. */
  readonly directory: string;
  /** Who makes it; null once it is made. What a maker left that is dead is removed. */
  readonly maker: ProcessId | null;
}

/** The runtime of containers that were stored before there was another. */
export const FIRST_RUNTIME = "crun";

/** A container and how it is. */
export interface FoundContainer {
  readonly container: StoredContainer;
  readonly status: ContainerStatus;
  /** Its record in the ledger; undefined when it does not run. */
  readonly record: ContainerRecord | undefined;
  /** Undefined as long as it has not ended. */
  readonly exitCode: number | undefined;
  /** When it ended, ISO 8601; undefined where nobody saw it. */
  readonly finished: string | undefined;
}

/** How a container is, in Docker's words. */
export type ContainerStatus = "created" | "running" | "stopping" | "exited";

/** What is known of a container besides what is stored. */
export interface ContainerLife {
  /** Whether its record is in the ledger and its owner alive. */
  readonly alive: boolean;
  /** The phase of its record; undefined where it has none. */
  readonly phase: "starting" | "running" | "stopping" | undefined;
  /** Its exit status; undefined where none is known. */
  readonly exitCode: number | undefined;
}

/** How a container is. */
export function statusOf(container: StoredContainer, life: ContainerLife): ContainerStatus {
  if (life.phase === "stopping") return "stopping";
  if (life.phase !== undefined && life.alive) return "running";
  return container.started === null ? "created" : "exited";
}

/** Exit status of one whose end nobody saw, as after a crash of the host; Docker's too. */
export const UNSEEN_EXIT = 255;

/**
 * Reads a stored container.
 *
 * @throws {SyntaxError} When it is none, or of another version.
 */
export function parseStoredContainer(text: string): StoredContainer {
  const value: unknown = JSON.parse(text);
  const container = value as StoredContainer;
  if (typeof value === "object" && value !== null && container.version === 1) {
    return { ...container, runtime: container.runtime ?? FIRST_RUNTIME };
  }
  throw new SyntaxError("it is no container of version 1");
}
