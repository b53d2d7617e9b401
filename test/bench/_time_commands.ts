/**
 * Times commands where it runs: inside a private host, so that entering the host is not timed.
 *
 *   deno run -A _time_commands.ts PLAN_JSON
 *
 * In each round every command of the {@linkcode Plan} is run in turn, so that a change of the machine's
 * speed meets all of them. It prints the times in ms as JSON, one list a command.
 */

/** A command that is timed. */
export interface TimedCommand {
  readonly words: readonly string[];
  /** How many of it run at once. Default 1. */
  readonly copies?: number;
  /** How many times it runs, one after the other without a pause; they are timed together. Default 1. */
  readonly times?: number;
  /** Run before it, untimed. */
  readonly before?: readonly string[];
  /** Whether it may fail, as 50 bridges of Apptainer at once sometimes do, in CNI's plugin "firewall". */
  readonly mayFail?: boolean;
}

/** What is timed. */
export interface Plan {
  /** How many times each command is timed; one more round comes first and is not counted. */
  readonly rounds: number;
  /** Run after each command, untimed: what a start leaves to be released is released before the next. */
  readonly between: readonly string[];
  readonly commands: readonly TimedCommand[];
}

/** Pause after each command that is timed, and before it after another, in ms. */
const SETTLE_MS = 300;

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

async function run([program, ...args]: readonly string[], mayFail = false): Promise<void> {
  const { code } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (code !== 0 && !mayFail) throw new Error(`${[program, ...args].join(" ")} ended with ${code}`);
}

async function time(
  { words, copies = 1, times = 1, before, mayFail }: TimedCommand,
): Promise<number> {
  if (before !== undefined) {
    await run(before);
    // What it has started in the background is up by then.
    await settle();
  }
  const start = performance.now();
  for (let turn = 0; turn < times; turn++) {
    await Promise.all(Array.from({ length: copies }, () => run(words, mayFail)));
  }
  return performance.now() - start;
}

if (import.meta.main) {
  const plan: Plan = JSON.parse(Deno.args[0]!);
  const taken = plan.commands.map(() => [] as number[]);
  for (let round = -1; round < plan.rounds; round++) {
    for (const [index, command] of plan.commands.entries()) {
      const ms = await time(command);
      // The first round fills caches.
      if (round >= 0) taken[index]!.push(ms);
      await run(plan.between);
      // The kernel takes network namespaces down in the background, and makes others wait for it: no
      // command is to pay for the one before it.
      await settle();
    }
  }
  console.log(JSON.stringify(taken));
}
