import { HpkError, requireRoot } from "@hpk/core";
import { applySetup } from "../apply_setup.ts";
import { planSetup, type SetupRequest } from "../plan_setup.ts";
import { progressOn } from "../progress.ts";
import type { Choices } from "../pure/choices.ts";
import { formatSetup, formatUndo, isUnfinished, type SetupReport } from "../pure/report.ts";
import { undoSetup } from "../undo_setup.ts";

/** Exit statuses: the host is set up; failed; something would change. */
const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_WOULD_CHANGE = 2;

/** What the program does, by option: one of them is given. */
const ACTS = ["plan", "apply", "check", "undo", "verify"] as const;

type Act = typeof ACTS[number];

/** Options of `host-setup`. */
export interface SetupOptions extends Choices {
  readonly plan?: true;
  readonly apply?: true;
  readonly check?: true;
  readonly undo?: true;
  readonly verify?: true;
  readonly target?: string;
  readonly json?: true;
  readonly packages: boolean;
}

/**
 * Runs `host-setup`: what one of its options asks for.
 *
 * @return The exit status.
 * @throws {HpkError} When none or several ask for something, or the run fails.
 */
export async function runSetup(_context: undefined, options: SetupOptions): Promise<number> {
  return await runAct(actOf(options), options);
}

function actOf(options: SetupOptions): Act {
  const acts = ACTS.filter((act) => options[act] === true);
  if (acts.length === 1) return acts[0]!;
  const names = ACTS.map((act) => `--${act}`).join(", ");
  throw new HpkError({
    what: "cannot tell what to do",
    why: acts.length === 0
      ? "nothing was asked for"
      : `${acts.map((act) => `--${act}`).join(" and ")} exclude each other`,
    fix: `give one of ${names}`,
  });
}

async function runAct(act: Act, options: SetupOptions): Promise<number> {
  const progress = progressOn({
    isTerminal: Deno.stderr.isTerminal(),
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
  });
  const request: SetupRequest = {
    options: choicesOf(options),
    withPackages: options.packages,
    progress,
  };
  switch (act) {
    case "plan":
      show(await planSetup(request), false, options);
      return EXIT_OK;
    case "check": {
      const report = await planSetup(request);
      show(report, false, options);
      if (report.changes.length > 0) return EXIT_WOULD_CHANGE;
      return report.problems.length > 0 ? EXIT_FAILURE : EXIT_OK;
    }
    case "apply": {
      requireRootFor(act);
      const report = await applySetup(request);
      show(report, true, options);
      return report.problems.length > 0 ? EXIT_FAILURE : EXIT_OK;
    }
    case "undo": {
      requireRootFor(act);
      const report = await undoSetup(progress);
      print(options.json ? toJson(report) : formatUndo(report));
      return isUnfinished(report) ? EXIT_FAILURE : EXIT_OK;
    }
    case "verify": {
      requireRootFor(act);
      const { readTarget, verifySetup } = await import("../verify.ts");
      const { formatProofs } = await import("../pure/verify_report.ts");
      const target = options.target === undefined ? undefined : readTarget(options.target);
      const work = () => verifySetup({ ...request, target });
      const proofs = await progress("proving", work);
      print(options.json ? toJson({ proofs }) : formatProofs(proofs));
      return proofs.some(({ status }) => status === "failed") ? EXIT_FAILURE : EXIT_OK;
    }
  }
}

function choicesOf({ uplink, subnet, mtu, offload, imds }: SetupOptions): Choices {
  return Object.fromEntries(
    Object.entries({ uplink, subnet, mtu, offload, imds })
      .filter(([, value]) => value !== undefined),
  );
}

function requireRootFor(act: Act): void {
  const fix = `run 'sudo host-setup --${act}'; --plan and --check show what would change`;
  requireRoot({ uid: Deno.uid() }, `cannot run --${act}`, fix);
}

function show(report: SetupReport, isDone: boolean, { json }: SetupOptions): void {
  print(json ? toJson(report) : formatSetup(report, isDone));
}

function toJson(report: object): string {
  return `${JSON.stringify({ version: 1, ...report }, undefined, 2)}\n`;
}

function print(text: string): void {
  console.log(text.trimEnd());
}
