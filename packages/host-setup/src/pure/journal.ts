/**
 * The file that records the state before us. It is below /var/lib, because --undo may run after a
 * reboot.
 */

import { HpkError } from "@hpk/core";
import type { Choices } from "./choices.ts";
import type { Entry } from "./item.ts";

/** Path of the file. */
export const JOURNAL_PATH = "/var/lib/hpktainer/host-setup.json";

/** Contents of the file. */
export interface Journal {
  readonly version: 1;
  /** The choices of the last apply, from options and our own: later runs keep them. */
  readonly choices: Choices;
  /** In the order in which things were first changed. */
  readonly entries: readonly Entry[];
}

/** The journal of a host that was never changed. */
export const EMPTY_JOURNAL: Journal = { version: 1, choices: {}, entries: [] };

/**
 * Reads the file's text.
 *
 * @throws {HpkError} If it is not one that we have written.
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
    fix: "move it away; --undo then cannot restore the state recorded in it",
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
