/**
 * Measures hpktainer against what a user would run instead, on private hosts:
 *
 *   deno task bench [--only PART,…] [--rounds N] [--many-rounds N] [--json FILE] [--no-page]
 *
 * Compared commands run in turn, and the figures are medians of what each round finds, so that a
 * change of the machine's speed affects both. A missed goal is shown, but is not a failure. Where
 * all parts are measured, docs/performance.md gets the table. A thousand containers are made and
 * end once, unless --many-rounds asks for more: each takes two minutes.
 */
import { parseArgs } from "@std/cli/parse-args";
import { PARTS } from "./_comparisons.ts";
import { betweenMarks, type Comparison, formatRows, type Omission, rowOf } from "./_ratio_table.ts";
import { median } from "./_statistics.ts";
import { emptyProgram, timeInTurn } from "./_timing.ts";
import { PrivateHost } from "../harness/mod.ts";

const LEAST_ROUNDS = 15;
const PAGE = new URL("../../docs/performance.md", import.meta.url);

const options = parseArgs(Deno.args, {
  string: ["json", "rounds", "many-rounds", "only"],
  boolean: ["no-page"],
  default: { "rounds": String(LEAST_ROUNDS), "many-rounds": "1" },
});
const rounds = Number(options.rounds);
const manyRounds = Number(options["many-rounds"]);
const names = options.only?.split(",") ?? Object.keys(PARTS);
const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0 || !(rounds >= 1) || !(manyRounds >= 1)) {
  console.error(
    `bench: unknown part or number: --only takes ${Object.keys(PARTS).join(", ")}; ` +
      "--rounds and --many-rounds take a number from 1 on",
  );
  Deno.exit(2);
}

// The tests' own setting; users have the default.
Deno.env.delete("HPK_LINGER");
const empty = await emptyProgram();
const found: (Comparison | Omission)[] = [];
for (const name of names) found.push(...await PARTS[name]!({ rounds, manyRounds, empty }));
const rows = found.map(rowOf);
const start = median(await timeEmpty());

const conditions = [
  `Medians and ranges, round by round; ${rounds} rounds, commands in turn.`,
  `${navigator.hardwareConcurrency} cores, Linux ${Deno.osRelease()}.`,
  `The runtime's own start, an empty compiled program: ${start.toFixed(1)} ms.`,
].join(" ");
const text = `${formatRows(rows)}\n\n${conditions}`;
console.log(text);
const json = options.json ?? new URL("../../dist/bench-start.json", import.meta.url).pathname;
await Deno.writeTextFile(
  json,
  `${JSON.stringify({ version: 2, emptyMs: start, rows }, undefined, 2)}\n`,
);
if (!options["no-page"] && options.only === undefined && rounds >= LEAST_ROUNDS) {
  await Deno.writeTextFile(PAGE, betweenMarks(await Deno.readTextFile(PAGE), text));
}

async function timeEmpty(): Promise<number[]> {
  await using host = await PrivateHost.create();
  const plan = { rounds, between: ["true"], commands: [{ words: [empty] }] };
  return (await timeInTurn(host, plan))[0]!;
}
