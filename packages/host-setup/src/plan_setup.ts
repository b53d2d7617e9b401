/** What would change on the host, and why. Nothing is changed. */

import { lookAtHost } from "./look.ts";
import type { Progress } from "./progress.ts";
import { type Choices, resolveSetup } from "./pure/choices.ts";
import { checkOwnership, type Desired, desiredState } from "./pure/desired.ts";
import type { HostLook } from "./pure/host_look.ts";
import { type Change, isOurs, keyOf, type Thing, type Value } from "./pure/item.ts";
import { isOurText } from "./pure/own_files.ts";
import { changesFor } from "./pure/reconcile.ts";
import type { SetupReport } from "./pure/report.ts";
import { makeResources, type Resources } from "./resources/all.ts";

/** What a run is asked to do. */
export interface SetupRequest {
  /** Settings given as options. */
  readonly options: Choices;
  /** Whether packages are installed. */
  readonly withPackages: boolean;
  readonly progress: Progress;
}

/** What is to be done, with all that it was worked out from. */
export interface Plan {
  readonly look: HostLook;
  readonly desired: Desired;
  readonly changes: readonly Change[];
}

/**
 * Works out what would change.
 *
 * @throws {HpkError} When the host cannot be set up as asked.
 */
export async function planSetup(request: SetupRequest): Promise<SetupReport> {
  const { look, desired, changes } = await makePlan(request);
  const notes = [...desired.notes, ...notesOn(changes, look)];
  return { changes, notes, problems: desired.problems };
}

/** As {@linkcode planSetup}, for whoever carries it out. */
export async function makePlan(request: SetupRequest): Promise<Plan> {
  const look = await lookAtHost();
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

/** Looks at things, those of one kind together. */
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

/** What is to be said of changes. */
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
