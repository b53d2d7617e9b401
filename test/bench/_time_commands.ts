/**
 * Times commands where it runs: inside a private host, so that entering the host is not timed.
 *
 *   deno run -A _time_commands.ts ROUNDS COPIES BETWEEN_JSON COMMANDS_JSON
 *
 * In each round every command is run in turn, COPIES of it at once, and BETWEEN after each. It prints
 * the times in ms as JSON, one list a command.
 */
const [rounds, copies, between, commands] = Deno.args.map((word) => JSON.parse(word)) as [
  number,
  number,
  string[],
  string[][],
];

async function run([program, ...args]: readonly string[]): Promise<void> {
  const { code } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${code}`);
}

/** Pause after each command, in ms. */
const SETTLE_MS = 300;

const times = commands.map(() => [] as number[]);
for (let round = -1; round < rounds; round++) {
  for (const [index, command] of commands.entries()) {
    const start = performance.now();
    await Promise.all(Array.from({ length: copies }, () => run(command)));
    // The first round fills caches and is not counted.
    if (round >= 0) times[index]!.push(performance.now() - start);
    await run(between);
    // The kernel takes network namespaces down in the background, and makes others wait for it: no
    // command is to pay for the one before it.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
}
console.log(JSON.stringify(times));
