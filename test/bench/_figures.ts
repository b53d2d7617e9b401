/** The report of a benchmark: medians with their ranges, and whether they keep within their bounds. */
import { median } from "./_statistics.ts";

/** A figure of the report. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "ratio" | "MB";
  /** The median. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many were taken. */
  readonly runs: number;
  /** What it may be at most. */
  readonly bound?: number;
}

/** Makes a figure of what was measured. */
export function figureOf(
  name: string,
  unit: Figure["unit"],
  values: readonly number[],
  bound?: number,
): Figure {
  const range = { least: Math.min(...values), most: Math.max(...values), runs: values.length };
  return {
    ...{ name, unit, median: median(values), ...range },
    ...(bound === undefined ? {} : { bound }),
  };
}

/**
 * Prints figures, and writes them to a file as JSON.
 *
 * @param how How they were taken, for the heading.
 */
export async function report(figures: readonly Figure[], json: string, how: string): Promise<void> {
  const rows = figures.map(({ name, unit, median, least, most, bound }) => {
    const number = (value: number) => value.toFixed(unit === "ratio" ? 2 : 1).padStart(8);
    const kept = bound === undefined ? "" : median <= bound ? `<= ${bound}` : `MORE THAN ${bound}`;
    return `${name.padEnd(66)}${number(median)} ${unit.padEnd(5)} [${number(least)} ..${
      number(most)
    }] ${kept}`;
  });
  console.log(`median [least .. most], ${how}\n${rows.join("\n")}`);
  await Deno.writeTextFile(json, `${JSON.stringify({ version: 1, figures }, undefined, 2)}\n`);
}
