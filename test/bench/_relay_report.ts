/** The table and the plot of `bench:relay`. */
import type { Sample } from "./_relay_measure.ts";

/** A row's medians at one MTU, or why there are none. */
export interface RowResult {
  readonly name: string;
  readonly mtu: number;
  readonly medians: Sample | undefined;
  readonly skipped: string | undefined;
}

const COLUMNS: readonly [keyof Sample, string, number][] = [
  ["up", "TCP up Gbit/s", 2],
  ["down", "TCP down Gbit/s", 2],
  ["streams", "8 streams Gbit/s", 2],
  ["packets", "UDP 64 B k/s", 0],
  ["p50", "round trip p50 µs", 0],
  ["p99", "p99 µs", 0],
  ["cpu", "CPU s/GB", 2],
  ["memory", "memory MB", 0],
];

/** Medians of samples, column by column. */
export function mediansOf(samples: readonly Sample[]): Sample {
  const result: Sample = {};
  for (const [key] of COLUMNS) {
    const values = samples.flatMap((sample) => sample[key] ?? []).sort((a, b) => a - b);
    const middle = values[Math.floor((values.length - 1) / 2)];
    if (middle !== undefined) result[key] = middle;
  }
  return result;
}

/** The rows as a Markdown table. */
export function formatTable(results: readonly RowResult[]): string {
  const lines = [
    `| MTU | | ${COLUMNS.map(([, title]) => title).join(" | ")} |`,
    `|---|---|${COLUMNS.map(() => "--:|").join("")}`,
  ];
  for (const { name, mtu, medians, skipped } of results) {
    const cells = COLUMNS.map(([key, , digits]) => medians?.[key]?.toFixed(digits) ?? "–");
    const note = skipped === undefined ? "" : ` (skipped: ${skipped})`;
    lines.push(`| ${mtu} | ${name}${note} | ${cells.join(" | ")} |`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

const BAR = 22;
const LABEL = 190;
const WIDTH = 560;

/** TCP upwards as bars. */
export function formatPlot(results: readonly RowResult[]): string {
  const shown = results.filter(({ medians }) => medians?.up !== undefined);
  const most = Math.max(...shown.map(({ medians }) => medians!.up!));
  const height = shown.length * BAR + 40;
  const bars = shown.map(({ name, mtu, medians }, index) => {
    const y = 34 + index * BAR;
    const length = (medians!.up! / most * WIDTH).toFixed(1);
    const color = name.startsWith("tap") || name.startsWith("relay") ? "#2f6fab" : "#9aa5b1";
    return `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${name}, ${mtu}</text>` +
      `<rect x="${LABEL}" y="${y}" width="${length}" height="${BAR - 6}" fill="${color}"/>` +
      `<text x="${LABEL + Number(length) + 6}" y="${y + 13}">${medians!.up!.toFixed(2)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${
    LABEL + WIDTH + 60
  }" height="${height}" ` +
    `font-family="sans-serif" font-size="12">\n` +
    `<text x="${LABEL}" y="18" font-weight="bold">TCP from the container, Gbit/s, by MTU</text>\n` +
    `${bars.join("\n")}\n</svg>\n`;
}

const BEGIN = "<!-- bench:relay begin -->";
const END = "<!-- bench:relay end -->";

/**
 * Puts a text between the marks in a document.
 *
 * @throws {Error} When it has no marks.
 */
export function replaceMarked(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the document has no ${BEGIN} … ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n${document.slice(end)}`;
}
