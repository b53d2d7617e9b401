import { Command, ValidationError } from "@cliffy/command";
import { HpkError, requireRoot } from "@hpk/core";
import { applySetup } from "../apply_setup.ts";
import { planSetup, type SetupRequest } from "../plan_setup.ts";
import { progressOn } from "../progress.ts";
import type { Choices } from "../pure/choices.ts";
import { formatSetup, formatUndo, isUnfinished, type SetupReport } from "../pure/report.ts";
import { undoSetup } from "../undo_setup.ts";
import manifest from "../../deno.json" with { type: "json" };

/** Exit statuses: as wanted; failed; something would change. */
const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_WOULD_CHANGE = 2;

/** What the program does, by option: one of them is given. */
const ACTS = ["plan", "apply", "check", "undo", "verify"] as const;

type Act = typeof ACTS[number];

interface Options {
  plan?: true;
  apply?: true;
  check?: true;
  undo?: true;
  verify?: true;
  target?: string;
  json?: true;
  packages: boolean;
  uplink?: string;
  subnet?: string;
  mtu?: string;
  offload?: string;
  imds?: string;
}

/**
 * Runs what the command line asks for.
 *
 * @return The exit status.
 * @throws {HpkError} When the command line is wrong, or the run fails.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  if (argv[0] === "boot-overrides") {
    const { runBootOverrides } = await import("./boot_overrides_command.ts");
    await runBootOverrides(argv.slice(1));
    return EXIT_OK;
  }
  let status = EXIT_OK;
  const program = new Command()
    .name("host-setup")
    .version(manifest.version)
    .description("Makes a host ready for containers, and can take that back.")
    .throwErrors()
    .option("--plan", "Show what --apply would change, and why.")
    .option("--apply", "Make the host ready.")
    .option("--check", "End with 0 where the host is ready, with 2 where --apply would change it.")
    .option("--undo", "Put back what was there before.")
    .option("--verify", "Prove on the live host that containers reach the world and are reached.")
    .option("--target <address:string>", "What --verify connects to, ADDRESS:PORT.")
    .option("--json", "Print JSON of a stable shape.")
    .option("--no-packages", "Leave packages alone.")
    .option("--uplink <interface:string>", "The interface that leads out of the host.")
    .option("--subnet <cidr:string>", "Subnet of the network for Apptainer.")
    .option("--mtu <bytes:string>", "MTU of that network.")
    .option("--offload <which:string>", "Turn checksum offload off: own, all or keep.")
    .option("--imds <open:string>", "Whether containers reach 169.254.169.254: closed or open.")
    .example("Look first", "host-setup --plan")
    .example("In a cron job", "host-setup --check || host-setup --apply")
    .example("For containers with systemd", "host-setup boot-overrides --help")
    .action(async (options) => {
      status = await runAct(actOf(options as Options), options as Options);
    });
  try {
    await program.parse([...argv]);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    throw wrongCommandLine(argv, error.message);
  }
  return status;
}

function wrongCommandLine(argv: readonly string[], why: string): HpkError {
  return new HpkError({
    what: `cannot run 'host-setup ${argv.join(" ")}'`.replace(" '", "'"),
    why,
    fix: "see 'host-setup --help'",
  });
}

function actOf(options: Options): Act {
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

async function runAct(act: Act, options: Options): Promise<number> {
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

function choicesOf({ uplink, subnet, mtu, offload, imds }: Options): Choices {
  return Object.fromEntries(
    Object.entries({ uplink, subnet, mtu, offload, imds })
      .filter(([, value]) => value !== undefined),
  );
}

function requireRootFor(act: Act): void {
  const fix = `run 'sudo host-setup --${act}'; --plan and --check show what would change`;
  requireRoot({ uid: Deno.uid() }, `cannot run --${act}`, fix);
}

function show(report: SetupReport, isDone: boolean, { json }: Options): void {
  print(json ? toJson(report) : formatSetup(report, isDone));
}

function toJson(report: object): string {
  return `${JSON.stringify({ version: 1, ...report }, undefined, 2)}\n`;
}

function print(text: string): void {
  console.log(text.trimEnd());
}
