/** Containers as text and as JSON. */

import { formatAge } from "../../images/pure/image_view.ts";
import { formatTable } from "../../shared/pure/text_table.ts";
import type { ContainerStatus, FoundContainer, StoredContainer } from "./stored_container.ts";

/** A container as `container ls --json` lists it. The shape is stable: keys are only added. */
export interface ListedContainer {
  /** Twelve hexadecimal digits. */
  readonly id: string;
  /** Its name; its id if it was not named. */
  readonly name: string;
  /** The image as the user named it. */
  readonly image: string;
  /** Its full command. */
  readonly command: readonly string[];
  /** Its status. */
  readonly status: ContainerStatus;
  /** Its exit status; null if it has not ended. */
  readonly exitCode: number | null;
  /** When it was created, ISO 8601. */
  readonly created: string;
  /** When it was last started, ISO 8601; null if never. */
  readonly started: string | null;
  /** When it last ended, ISO 8601; null if it has not. */
  readonly finished: string | null;
  /** IPv4 address; null if it has none. */
  readonly address: string | null;
  /** Labels of the image and the command line. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Builds the list entry of a container. */
export function listedContainer(known: FoundContainer): ListedContainer {
  const { container, status, record, exitCode, finished } = known;
  return {
    id: container.id,
    name: container.name,
    image: container.image.given,
    command: commandWords(container),
    status,
    exitCode: exitCode ?? null,
    created: container.created,
    started: container.started,
    finished: finished ?? null,
    address: record?.address ?? null,
    labels: labelsOf(container),
  };
}

/** Length to which a list shortens commands, in characters. */
const COMMAND_WIDTH = 20;

/**
 * Formats containers as a table, with Docker's columns.
 *
 * @param now The present time, in ms since 1970.
 */
export function formatContainerList(
  containers: readonly ListedContainer[],
  whole: boolean,
  now: number,
): string {
  return formatTable([
    ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "ADDRESS", "NAMES"],
    ...containers.map((listed) => {
      const command = listed.command.join(" ");
      return [
        listed.id,
        listed.image,
        JSON.stringify(
          whole || command.length <= COMMAND_WIDTH
            ? command
            : `${command.slice(0, COMMAND_WIDTH - 1)}…`,
        ),
        formatAge(now - Date.parse(listed.created)),
        statusText(listed, now),
        listed.address ?? "-",
        listed.name,
      ];
    }),
  ]);
}

/** Docker's words: "Up 2 minutes", "Exited (3) 5 seconds ago", "Created". */
function statusText({ status, exitCode, started, finished }: ListedContainer, now: number): string {
  const age = (time: string) => formatAge(now - Date.parse(time));
  const since = (time: string) => age(time).replace(/ ago$/, "");
  switch (status) {
    case "created":
      return "Created";
    case "running":
      return started === null ? "Starting" : `Up ${since(started)}`;
    default:
      return finished === null ? `Exited (${exitCode})` : `Exited (${exitCode}) ${age(finished)}`;
  }
}

/** The details of a container, in the shape of `docker inspect` as far as they correspond. */
export function inspectionOf(known: FoundContainer, pid: number | undefined): unknown {
  const { container, status, record, exitCode, finished } = known;
  const { options, config, image } = container;
  const isRunning = status === "running";
  const words = commandWords(container);
  return {
    Id: container.id,
    Name: container.name,
    Created: container.created,
    Path: words[0] ?? "",
    Args: words.slice(1),
    Image: image.id,
    ImageName: image.reference,
    ImageDigest: image.digest,
    State: {
      Status: status,
      Running: isRunning,
      Pid: isRunning ? pid ?? 0 : 0,
      ExitCode: exitCode ?? 0,
      StartedAt: container.started,
      FinishedAt: finished ?? null,
    },
    Config: {
      Hostname: options.hostname ?? container.name,
      User: options.user ?? config.user,
      Tty: options.terminal,
      OpenStdin: options.interactive,
      Env: [...config.env, ...options.environment],
      Cmd: container.args.length > 0 ? container.args : config.cmd,
      Entrypoint: options.entrypoint === undefined ? config.entrypoint : [options.entrypoint],
      WorkingDir: options.workingDirectory ?? config.workingDir,
      Labels: labelsOf(container),
      StopSignal: stopSignalOf(container),
    },
    HostConfig: {
      AutoRemove: options.remove,
      Memory: options.limits.memory ?? 0,
      NanoCpus: Math.round((options.limits.cpus ?? 0) * 1e9),
      PidsLimit: options.limits.pids ?? 0,
      Privileged: options.security.privileged,
      ReadonlyRootfs: options.readOnly,
      CapAdd: options.security.addedCapabilities,
      CapDrop: options.security.droppedCapabilities,
      Runtime: container.runtime,
    },
    Mounts: options.volumes.map((volume) => ({
      Type: volume.kind,
      Source: volume.kind === "bind" ? volume.source : "",
      Destination: volume.target,
      RW: !(volume.kind === "bind" && volume.readOnly),
    })),
    NetworkSettings: {
      IPAddress: record?.address ?? "",
      IPPrefixLen: record?.address ? Number(record.subnet.split("/")[1]) : 0,
      Gateway: record?.gateway ?? "",
      Bridge: record?.bridge ?? "",
      NetworkMode: record?.mode ?? options.network.settings.network ?? "",
    },
  };
}

/** Signal that asks a container to end: the user's, else the image's, else SIGTERM. */
export function stopSignalOf({ options, config }: StoredContainer): string {
  return options.stopSignal ?? (config.stopSignal || "SIGTERM");
}

/** The image's labels and the user's, which win. */
function labelsOf({ options, config }: StoredContainer): Record<string, string> {
  return { ...config.labels, ...options.labels };
}

function commandWords({ options, config, args }: StoredContainer): string[] {
  const { entrypoint } = options;
  const first = entrypoint === undefined
    ? config.entrypoint
    : entrypoint === ""
    ? []
    : [entrypoint];
  return [...first, ...(args.length > 0 || entrypoint !== undefined ? args : config.cmd)];
}
