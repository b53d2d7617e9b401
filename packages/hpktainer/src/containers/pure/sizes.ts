import { HpkError } from "@hpk/core";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/**
 * Reads a size as Docker writes it: `256m`, `1.5g`, `1024`, `64MiB`; units are of 1024.
 *
 * @param option The option's name, for the message.
 * @return Bytes, a whole number.
 * @throws {HpkError} When it is not a size.
 */
export function readSize(option: string, text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null
    ? NaN
    : Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new HpkError({
    what: `cannot use ${option} '${text}'`,
    why: "it is not a size",
    fix: "give a number with b, k, m or g, such as 256m",
  });
}

/**
 * Reads a whole number.
 *
 * @throws {HpkError} When it is not a whole number, or out of range.
 */
export function readInteger(option: string, text: string, least: number, most: number): number {
  const number = /^[+-]?[0-9]+$/.test(text.trim()) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new HpkError({
    what: `cannot use ${option} '${text}'`,
    why: "it is not a number in the valid range",
    fix: `give a whole number from ${least} to ${most}`,
  });
}
