/**
 * Finds a version in a program's output and compares it.
 *
 * @param text For example "apptainer version 1.4.5-1.el9".
 * @param least The minimum version: major and minor.
 * @return The version found, and whether it is new enough; undefined if the text has none.
 */
export function readVersion(
  text: string,
  least: readonly [number, number],
): { version: string; enough: boolean } | undefined {
  const match = /([0-9]+)\.([0-9]+)(\.[0-9]+)?/.exec(text);
  if (match === null) return undefined;
  const major = Number(match[1]);
  const minor = Number(match[2]);
  const enough = major > least[0] || (major === least[0] && minor >= least[1]);
  return { version: match[0], enough };
}
