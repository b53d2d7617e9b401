/** Works out what would change on the host, and why. Nothing is changed. */

import { inspectHost } from "./look.ts";
import type { Progress } from "./progress.ts";
import { type Choices, resolveSetup } from "./pure/choices.ts";
import { checkOwnership, type Desired, desiredState } from "./pure/desired.ts";
import type { HostLook } from "./pure/host_look.ts";
import { type Change, isOurs, keyOf, type Thing, type Value } from "./pure/item.ts";
import { isOurText } from "./pure/own_files.ts";
import { changesFor } from "./pure/reconcile.ts";
import type { SetupReport } from "./pure/report.ts";
import { makeResources, type Resources } from "./resources/all.ts";

/** Options of a run. */
export interface SetupRequest {
  /** Settings given as options. */
  readonly options: Choices;
  /** Whether to install packages. */
  readonly withPackages: boolean;
  readonly progress: Progress;
}

/** What to do, with everything that it was derived from. */
export interface Plan {
  readonly look: HostLook;
  readonly desired: Desired;
  readonly changes: readonly Change[];
}

/**
 * Works out what would change.
 *
 * @throws {HpkError} If the host cannot be set up as requested.
 */
export async function planSetup(request: SetupRequest): Promise<SetupReport> {
  const { look, desired, changes } = await makePlan(request);
  const notes = [...desired.notes, ...notesOn(changes, look)];
  return { changes, notes, problems: desired.problems };
}

/** As {@linkcode planSetup}, for a caller that applies the plan. */
export async function makePlan(request: SetupRequest): Promise<Plan> {
  const look = await inspectHost();
  const settings = resolveSetup(request.options, look.ini, look.journal.choices);
  const desired = desiredState(look, settings, request.withPackages);
  const entries = look.journal.entries.filter(({ kind }) => !desired.passedOver.includes(kind));
  const resources = makeResources(look, desired, entries, request.progress);
  const found = await inspectAll(resources, [...desired.wanted, ...entries]);
  const files = desired.wanted.filter(({ kind }) => kind === "file");
  checkOwnership(
    new Map(files.map((want) => [want.id, found.get(keyOf(want)) ?? null])),
    isOurText,
  );
  return { look, desired, changes: changesFor(desired.wanted, found, entries) };
}

/** Inspects things, one call for each kind. */
export async function inspectAll(
  resources: Resources,
  things: readonly Thing[],
): Promise<Map<string, Value>> {
  const found = new Map<string, Value>();
  const kinds = [...new Set(things.map(({ kind }) => kind))];
  await Promise.all(kinds.map(async (kind) => {
    const ids = [...new Set(things.filter((thing) => thing.kind === kind).map(({ id }) => id))];
    const values = await resources[kind].inspect(ids);
    ids.forEach((id, index) => found.set(keyOf({ kind, id }), values[index] ?? null));
  }));
  return found;
}

/** Notes on changes. */
export function notesOn(changes: readonly Change[], look: HostLook): string[] {
  const { entries } = look.journal;
  const edited = changes.filter(({ kind, id, old }) =>
    kind === "file" && old !== null &&
    !entries.some((entry) => entry.kind === kind && entry.id === id && isOurs(entry, old))
  );
  return edited.map(({ id }) =>
    `${id} was edited by hand: the edited text is kept as ${id}.edited`
  );
}
