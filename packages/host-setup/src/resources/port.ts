import { type ContainerRecord, HpkError, parsePublish } from "@hpk/core";
import { Ledger, runOrThrow } from "@hpk/core/os";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** What a port's value is where it leads to its instance. */
export const PUBLISHED = "published";

/** Names of the instances of hpktainer that run. */
export function runningInstances(): string[] {
  return instances().map(({ name }) => name);
}

/** Ports of the host that lead to instances of hpktainer that run; those that start see to themselves. */
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
      // It went with its instance.
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
  const beside = `${Deno.execPath().replace(/\/[^/]*$/, "")}/hpktainer`;
  const path = isFile(beside) ? beside : findTool("hpktainer");
  if (path === undefined) {
    throw new HpkError({
      what: "cannot publish a port of an instance that runs",
      why: "hpktainer is neither beside host-setup nor in PATH",
      fix: "put it there",
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
