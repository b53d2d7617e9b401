/**
 * The table of `deno task bench`: each row compares what we take with what another program takes.
 */
import { differences, median, ratios } from "./_statistics.ts";

/** One comparison. Times are in ms; those of a round stand at the same index in both lists. */
export interface Comparison {
  /** What is timed, as Markdown. */
  readonly what: string;
  /** What it is compared with, as Markdown. */
  readonly against: string;
  /** Ratio or difference in ms that the median is meant to keep within. */
  readonly goal: number;
  readonly kind: "ratio" | "difference";
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** A row that could not be measured. */
export interface Omission {
  readonly what: string;
  readonly against: string;
  readonly goal: number;
  readonly kind: Comparison["kind"];
  /** Why. */
  readonly reason: string;
}

/** The result of a comparison. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly kind: Comparison["kind"];
  readonly goal: number;
  /** Undefined where it was not measured. */
  readonly result?: {
    readonly median: number;
    readonly least: number;
    readonly most: number;
    /** How many times it was measured. */
    readonly runs: number;
    /** Medians of the times, in ms. */
    readonly ours: number;
    readonly theirs: number;
    readonly isKept: boolean;
  };
  /** Why it was not measured. */
  readonly reason?: string;
}

/** Computes a row: the median of the rounds. */
export function rowOf(comparison: Comparison | Omission): Row {
  const { what, against, kind, goal } = comparison;
  if ("reason" in comparison) return { what, against, kind, goal, reason: comparison.reason };
  const { ours, theirs } = comparison;
  const values = kind === "ratio" ? ratios(ours, theirs) : differences(ours, theirs);
  const middle = median(values);
  return {
    ...{ what, against, kind, goal },
    result: {
      median: middle,
      least: Math.min(...values),
      most: Math.max(...values),
      runs: values.length,
      ours: median(ours),
      theirs: median(theirs),
      isKept: middle <= goal,
    },
  };
}

const HEAD = [
  ["what", "against", "goal", "median", "range", "n", "ours and theirs", "result"],
  ["---", "---", "---", "---", "---", "---", "---", "---"],
];

/** The rows as a table of Markdown. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { what, against, goal, result, reason } = row;
    const number = (value: number) => row.kind === "ratio" ? value.toFixed(2) : value.toFixed(0);
    const unit = row.kind === "ratio" ? "" : " ms";
    const head = [what, against, `≤ ${number(goal)}${unit}`];
    if (result === undefined) return [...head, "-", "-", "0", "-", `not measured: ${reason}`];
    return [
      ...head,
      `${number(result.median)}${unit}`,
      `${number(result.least)} to ${number(result.most)}`,
      String(result.runs),
      `${result.ours.toFixed(1)} and ${result.theirs.toFixed(1)} ms`,
      result.isKept ? "kept" : "missed",
    ];
  });
  return [...HEAD, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The marks between which a page has the table. */
const BEGIN = "<!-- figures of `deno task bench`: begin -->";
const END = "<!-- figures of `deno task bench`: end -->";

/**
 * Puts a text between the marks of a page.
 *
 * @throws {Error} When the page lacks them.
 */
export function betweenMarks(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page lacks the lines ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`;
}
