/**
 * Offline stand-in for `@std/cli/unicode-width`, on `npm:string-width`: the npm copy of the original
 * lacks its data file. Pass text without escape sequences; the two count those differently.
 */
import stringWidth from "string-width";

/** The number of terminal columns that the text takes. */
export function unicodeWidth(str: string): number {
  return stringWidth(str, { countAnsiEscapeCodes: true });
}
