/** Compares the host's network before and after something that must not change it. */

import { compareHostStates, type ContainerRecord, type HostDifference } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import { readHostState, unreadParts } from "./host_state.ts";

/** The result of an action, and what it changed. */
export interface Watched<T> {
  readonly result: T;
  readonly differences: readonly HostDifference[];
}

/**
 * Runs an action, and compares the host's network before and after. Other containers' links are
 * left out: they come and go meanwhile.
 *
 * @param tell Receives a line about each part of the host that cannot be compared.
 */
export async function watchHost<T>(
  ledger: Ledger,
  act: () => Promise<T>,
  tell: (line: string) => void,
): Promise<Watched<T>> {
  unreadParts().forEach(tell);
  const own = new Set(linksOf(ledger));
  const before = await readHostState();
  const result = await act();
  const after = await readHostState();
  for (const link of linksOf(ledger)) own.add(link);
  return {
    result,
    differences: compareHostStates(before, after, (link) => own.has(link) || OWN_LINK.test(link)),
  };
}

/** A container's link, even of one that came and went between two reads of the ledger. */
const OWN_LINK = /^hpk[0-9a-f]{12}$/;

function linksOf(ledger: Ledger): string[] {
  const links = ledger.list().flatMap(({ bridge, resources }: ContainerRecord) => [
    bridge,
    ...resources.flatMap((resource) => resource.kind === "link" ? [resource.name] : []),
  ]);
  // The bridge may have outlived its containers.
  const shared = ledger.readHost();
  return shared === undefined ? links : [shared.bridge, ...links];
}
