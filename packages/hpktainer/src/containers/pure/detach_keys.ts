import { HpkError } from "@hpk/core";

/** Docker's default keys. */
export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** Bytes of ctrl-@ to ctrl-_: the letter's code without its upper bits (ascii(7)). */
const CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/**
 * Reads a sequence of keys: `ctrl-p,ctrl-q` or `a,b`; empty for none.
 *
 * @return Their bytes.
 * @throws {HpkError} When one is invalid.
 */
export function readDetachKeys(text: string): number[] {
  if (text === "") return [];
  return text.split(",").map((key) => {
    const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
    const code = control === undefined
      ? key.length === 1 ? key.charCodeAt(0) : -1
      : CONTROL.indexOf(control);
    if (code >= 0 && code < 128) return code;
    throw new HpkError({
      what: `cannot use --detach-keys ${text}`,
      why: `'${key}' is not a valid key`,
      fix: "write letters or ctrl-LETTER, separated by commas",
    });
  });
}

/** The result of scanning a chunk of input. */
export interface ScannedInput {
  /** What to send to the container. */
  readonly forward: Uint8Array<ArrayBuffer>;
  /** Whether the keys were typed: anything after them is discarded. */
  readonly detached: boolean;
}

/**
 * Scans typed input for the keys. Input that may be their beginning is held back until that is
 * clear.
 */
export class DetachScanner {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** Scans a chunk of input. */
  take(input: Uint8Array): ScannedInput {
    const keys = this.#keys;
    if (keys.length === 0) return { forward: Uint8Array.from(input), detached: false };
    const out: number[] = [];
    for (const byte of input) {
      if (byte !== keys[this.#matched]) this.#release(byte, out);
      else if (++this.#matched === keys.length) {
        this.#matched = 0;
        return { forward: Uint8Array.from(out), detached: true };
      }
    }
    return { forward: Uint8Array.from(out), detached: false };
  }

  /** Releases what was held back, as far as it cannot begin the keys. */
  #release(byte: number, out: number[]): void {
    const held = [...this.#keys.slice(0, this.#matched), byte];
    this.#matched = 0;
    // The longest suffix that may still begin the keys.
    for (let start = 1; start <= held.length; start++) {
      const rest = held.slice(start);
      if (rest.length < this.#keys.length && rest.every((key, at) => key === this.#keys[at])) {
        out.push(...held.slice(0, start));
        this.#matched = rest.length;
        return;
      }
    }
  }
}
