/**
 * Offline stand-in for `@std/cli/unicode-width`. The packages of npm that do this load tables that cost
 * a start 15 ms.
 */

/** What takes no column: marks, and characters that only format (Unicode, general categories M and C). */
const ZERO = /[\p{M}\p{C}]/u;

/** The blocks whose characters take two columns (Unicode Standard Annex #11, wide and fullwidth). */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** How many columns a text takes on a terminal. */
export function unicodeWidth(text: string): number {
  return [...text].reduce((sum, one) => sum + (ZERO.test(one) ? 0 : WIDE.test(one) ? 2 : 1), 0);
}
