/**
 * The file that remembers what was there before us. It lies below /var/lib: --undo may come after a
 * reboot.
 */

import { HpkError } from "@hpk/core";
import type { Choices } from "./choices.ts";
import type { Entry } from "./item.ts";

/** Where the file lies. */
export const JOURNAL_PATH = "/var/lib/hpktainer/host-setup.json";

/** What the file holds. */
export interface Journal {
  readonly version: 1;
  /** What was chosen at the last apply, by options and by us: later runs keep to it. */
  readonly choices: Choices;
  /** In the order in which things were first changed. */
  readonly entries: readonly Entry[];
}

/** A journal of a host on which nothing was done. */
export const EMPTY_JOURNAL: Journal = { version: 1, choices: {}, entries: [] };

/**
 * Reads the file's text.
 *
 * @throws {HpkError} When it is not one that we have written.
 */
export function parseJournal(text: string): Journal {
  try {
    const value: unknown = JSON.parse(text);
    if (isJournal(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HpkError({
    what: `cannot read ${JOURNAL_PATH}`,
    why: "it is not a journal of this version of host-setup",
    fix: "move it away; what it knew of the state before is then lost to --undo",
  });
}

/** The file's text. */
export function formatJournal(journal: Journal): string {
  return `${JSON.stringify(journal, undefined, 1)}\n`;
}

function isJournal(value: unknown): value is Journal {
  if (typeof value !== "object" || value === null) return false;
  const { version, choices, entries } = value as Record<string, unknown>;
  const isText = (text: unknown) => text === null || typeof text === "string";
  return version === 1 && typeof choices === "object" && choices !== null &&
    Array.isArray(entries) &&
    entries.every((entry) =>
      typeof entry === "object" && entry !== null && typeof entry.kind === "string" &&
      typeof entry.id === "string" && isText(entry.prior) && isText(entry.set)
    );
}
