import { type ContainerRecord, HpkError, parsePublish } from "@hpk/core";
import { Ledger, runOrThrow } from "@hpk/core/os";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** Value of a port that is published for its instance. */
const PUBLISHED = "published";

/** Names of hpktainer's running instances. */
export function runningInstances(): string[] {
  return instances().map(({ name }) => name);
}

/** Published ports of hpktainer's running instances; starting instances publish their own. */
export function portResource(): Resource {
  return {
    kind: "port",
    inspect: (ids) => {
      const running = instances();
      return ids.map((id) => {
        const { name, publish } = readId(id);
        return running.some((record) => record.name === name && hasPort(record, publish))
          ? PUBLISHED
          : null;
      });
    },
    async apply({ id }) {
      const { name, publish } = readId(id);
      await hpktainer(["port", "add", name, publish]);
    },
    async remove({ id }) {
      const { name, publish } = readId(id);
      const running = instances().find((record) => record.name === name);
      // It was removed with its instance.
      if (running === undefined || !hasPort(running, publish)) return undefined;
      await hpktainer(["port", "rm", name, publish]);
      return undefined;
    },
  };
}

function instances(): ContainerRecord[] {
  return new Ledger().list().filter(({ kind, phase }) =>
    kind === "instance" && phase === "running"
  );
}

function readId(id: string): { name: string; publish: string } {
  const [name = "", publish = ""] = id.split(" ");
  return { name, publish };
}

function hasPort({ ports }: ContainerRecord, publish: string): boolean {
  const wanted = parsePublish(publish)!;
  return ports.some((port) => {
    const offset = wanted.hostPort - port.hostPort;
    return port.protocol === wanted.protocol && port.hostAddress === wanted.hostAddress &&
      offset >= 0 && offset < port.count && port.containerPort + offset === wanted.containerPort;
  });
}

async function hpktainer(args: readonly string[]): Promise<void> {
  const adjacent = `${Deno.execPath().replace(/\/[^/]*$/, "")}/hpktainer`;
  const path = isFile(adjacent) ? adjacent : findTool("hpktainer");
  if (path === undefined) {
    throw new HpkError({
      what: "cannot publish a port of a running instance",
      why: "hpktainer is neither next to host-setup nor in PATH",
      fix: "install it there",
    });
  }
  await runOrThrow(path, args);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
