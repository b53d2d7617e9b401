/** Shows and changes the published ports of running containers. */

import {
  type ContainerRecord,
  formatPublish,
  HpkError,
  localAddresses6,
  parseHostPorts,
  parsePublish,
  PUBLISH_SYNTAX,
  type PublishedPort,
  requireRoot,
  withoutPorts,
} from "@hpk/core";
import { isAlive, Ledger, readHostFacts, readRoutes6, saveRules } from "@hpk/core/os";
import { type PortView, portViewsOf } from "./pure/port_view.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { claimPorts, writeWithRules } from "./port_rules.ts";

/**
 * Lists published ports.
 *
 * @param name Name or id of a container; undefined for all.
 * @throws {HpkError} When the container does not exist.
 */
export function listPorts(name: string | undefined): PortView[] {
  const ledger = new Ledger();
  const records = name === undefined ? ledger.list() : [find(ledger, name, "show the ports of")];
  return records.flatMap(portViewsOf);
}

/**
 * Publishes more ports of a running container.
 *
 * @param texts As the option --publish takes them.
 * @return The new ports; host port 0 is replaced by a free one.
 * @throws {HpkError} When one cannot be published; then none of them is.
 */
export async function addPorts(
  caller: Caller,
  name: string,
  texts: readonly string[],
): Promise<PortView[]> {
  const requests = texts.map((text) =>
    parsePublish(text) ?? wrong("publish", text, PUBLISH_SYNTAX)
  );
  requireRoot(caller, "cannot publish ports");
  const ledger = new Ledger();
  return await withExisting(ledger, name, "publish ports of", async (record) => {
    const facts = readHostFacts([record.bridge]);
    const [rules, routes6] = await Promise.all([
      saveRules(),
      record.address6 === null ? undefined : readRoutes6(),
    ]);
    const addresses6 = routes6 && localAddresses6(routes6);
    const added = claimPorts(ledger, requests, {
      facts,
      rules,
      addresses6,
      gateway: record.gateway,
    });
    const host = ledger.readHost()!;
    // Before the record, so that whatever reads the record finds the flag set.
    if (!host.ownRules) ledger.writeHost({ ...host, ownRules: true });
    await writeWithRules(ledger, { ...record, ports: [...record.ports, ...added] }, added);
    return portViewsOf({ ...record, ports: added });
  });
}

/**
 * Takes ports of the host away from a container that runs. Connections that stand go on; flows of
 * datagrams end.
 *
 * @param texts The host's side, such as "8080" or "127.0.0.1:5000-5009/udp"; without an address, on
 * any.
 * @return What was taken away.
 * @throws {HpkError} When the container does not have one of them; then none is taken away.
 */
export async function removePorts(
  caller: Caller,
  name: string,
  texts: readonly string[],
): Promise<PortView[]> {
  const spans = texts.map((text) => ({
    text,
    span: parseHostPorts(text) ?? wrong("take away", text, "[IP:]HOSTPORT[/tcp|udp]"),
  }));
  requireRoot(caller, "cannot take ports away");
  const ledger = new Ledger();
  return await withExisting(ledger, name, "take ports away from", async (record) => {
    let kept = [...record.ports];
    const removed: PublishedPort[] = [];
    for (const { text, span } of spans) {
      const split = withoutPorts(kept, span);
      if (split.removed.length === 0) {
        throw new HpkError({
          what: `cannot take port ${text} away from '${record.name}'`,
          why: record.ports.length === 0
            ? "none is published"
            : `it has ${record.ports.map(formatPublish).join(", ")}`,
          fix: "see 'hpktainer port ls'",
        });
      }
      kept = split.kept;
      removed.push(...split.removed);
    }
    await writeWithRules(ledger, { ...record, ports: kept }, removed);
    return portViewsOf({ ...record, ports: removed });
  });
}

/**
 * Runs a change of a container that runs, under the ledger's lock; without a ledger, none is made.
 */
async function withExisting<T>(
  ledger: Ledger,
  name: string,
  doing: string,
  change: (record: ContainerRecord) => Promise<T>,
): Promise<T> {
  const done = await ledger.withExisting(async () => {
    const record = find(ledger, name, doing);
    if (record.address !== null && record.phase === "running" && isAlive(record.owner)) {
      return { result: await change(record) };
    }
    throw new HpkError({
      what: `cannot ${doing} '${name}'`,
      why: isAlive(record.owner) ? `it is ${record.phase}` : "it has ended",
      fix: "try again when 'hpktainer ps' shows it running",
    });
  });
  return done === undefined ? unknown(name, doing) : done.result;
}

function find(ledger: Ledger, name: string, doing: string): ContainerRecord {
  const found = ledger.list().find((record) => record.name === name || record.id === name);
  return found ?? unknown(name, doing);
}

function unknown(name: string, doing: string): never {
  throw new HpkError({
    what: `cannot ${doing} '${name}'`,
    why: "no container has that name or id",
    fix: "see 'hpktainer ps'",
  });
}

function wrong(doing: string, text: string, syntax: string): never {
  throw new HpkError({
    what: `cannot ${doing} '${text}'`,
    why: "the value is wrong",
    fix: `give ${syntax}`,
  });
}
