import { HpkError } from "@hpk/core/errors";
import { Ledger } from "@hpk/core/ledger";
import { isAlive } from "@hpk/core/process";
import { type ContainerView, viewOf } from "./pure/container_view.ts";

/** Lists every container in the ledger, oldest first. Takes no lock and needs no root. */
export function listContainers(): ContainerView[] {
  return new Ledger().list().map((record) => viewOf(record, isAlive(record.owner)));
}

/**
 * Finds one container by its name or id.
 *
 * @throws {HpkError} When it does not exist.
 */
export function findContainer(name: string): ContainerView {
  const found = listContainers().find((view) => view.name === name || view.id === name);
  if (found !== undefined) return found;
  throw new HpkError({
    what: `cannot show '${name}'`,
    why: "no container has that name or id",
    fix: "see 'hpktainer ps'",
  });
}
