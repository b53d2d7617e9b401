import { unicodeWidth } from "@std/cli/unicode-width";

/**
 * Lays out rows in columns, two spaces apart, each as wide as its widest cell.
 *
 * @param rows Cells as text; the first row is the heading.
 * @return Lines, each ended by a line feed, without trailing spaces.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, unicodeWidth(cell));
    });
  }
  return rows
    .map((row) =>
      row.map((cell, column) => cell + " ".repeat(widths[column]! - unicodeWidth(cell))).join("  ")
        .trimEnd() + "\n"
    )
    .join("");
}
