/** Formats sizes and the progress of a pull. */

/** The progress of a step. */
export interface Advance {
  /** Bytes so far. */
  readonly done: number;
  /** Bytes in all. */
  readonly total: number;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** A number of bytes with three significant digits, in powers of 1000 as in Docker: `3.21 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${UNITS[unit]}`;
}

/** `12 MB of 100 MB`. */
export function formatAdvance({ done, total }: Advance): string {
  return `${formatBytes(Math.min(done, total))} of ${formatBytes(total)}`;
}

/** Minimum and maximum width of a bar, in columns. */
const BAR_MIN = 8;
const BAR_MAX = 40;

/**
 * A progress bar: `alpine:latest  fetching [####----] 12 MB of 100 MB`.
 *
 * @param columns Width of the terminal; the line is shorter, and without the bar if there is no
 * room.
 */
export function formatBar(name: string, what: string, advance: Advance, columns: number): string {
  const before = `${name}  ${what} `;
  const after = ` ${formatAdvance(advance)}`;
  // One column less: a terminal wraps after its last column.
  const room = columns - 1 - before.length - after.length - "[]".length;
  if (room < BAR_MIN) return `${what}${after}`.slice(0, Math.max(columns - 1, 0));
  const width = Math.min(room, BAR_MAX);
  const share = Math.min(advance.done / (advance.total || 1), 1);
  const filled = Math.floor(share * width);
  return `${before}[${"#".repeat(filled)}${"-".repeat(width - filled)}]${after}`;
}
