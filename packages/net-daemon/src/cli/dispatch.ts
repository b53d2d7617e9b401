import { Command } from "@cliffy/command";
import {
  errorLine,
  EXIT_OWN_FAILURE,
  HpkError,
  RELAY_DIRECTORY,
  type RelayAnswer,
  type RelayRequest,
} from "@hpk/core";
import { askRelay } from "@hpk/core/os";
import { isOriginalCommandLine, readOriginalFlags } from "../pure/original_flags.ts";
import { formatStatus } from "../pure/status_text.ts";
import { serve } from "../serve.ts";
import { runStandalone } from "../standalone.ts";
import manifest from "../../deno.json" with { type: "json" };

const HELP = `hpk-net-daemon ${manifest.version}: relays Ethernet frames between TAP devices

Usage:
  hpk-net-daemon serve [--directory DIR] [--idle-exit SECONDS] [--ready-fd N]
      Serve the sessions of this host; hpktainer starts it when it needs it.
  hpk-net-daemon status [--directory DIR] [--json | --prometheus]
      Show the sessions, what they carried and what was dropped.
  hpk-net-daemon -mode server|client -socket PATH -tap NAME [-create-tap] [-mtu N]
                 [-offload on|off] [-mac MAC [-ip ADDRESS]]
                 [-quiet] [-ready-fd N] [-exit-with PID]
      Relay one TAP over one socket. -mac and -ip drop frames of the peer from other addresses.
  hpk-net-daemon --help | --version
`;

/**
 * Runs the program.
 *
 * @param argv Arguments after the program's name.
 * @return The exit status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [word] = argv;
  try {
    if (word === "--version" || word === "-version") console.log(manifest.version);
    else if (word === undefined || word === "--help" || word === "-h" || word === "-help") {
      console.log(HELP.trimEnd());
    } else if (isOriginalCommandLine(argv)) await runStandalone(readOriginalFlags(argv), log);
    else await runCommand(argv);
    return 0;
  } catch (error) {
    console.error(errorLine("hpk-net-daemon", error));
    return EXIT_OWN_FAILURE;
  }
}

const DIRECTORY_OPTION = ["--directory <path:string>", "Where sockets and sessions are."] as const;

async function runCommand(argv: readonly string[]): Promise<void> {
  await new Command()
    .name("hpk-net-daemon")
    .description("Relays Ethernet frames between TAP devices.")
    .throwErrors()
    .command(
      "serve",
      new Command().description("Serve the sessions of this host.")
        .option(...DIRECTORY_OPTION)
        .option("--idle-exit <seconds:number>", "End after so long without a session.")
        .option("--ready-fd <fd:number>", "Write 'ready' there when requests are answered.")
        .action(({ directory, idleExit, readyFd }) =>
          serve({ directory: directory ?? RELAY_DIRECTORY, idleExit, readyFd, log })
        ),
    )
    .command(
      "status",
      new Command().description("Show the sessions.")
        .option(...DIRECTORY_OPTION)
        .option("--json", "Print JSON of a stable shape.")
        .option("--prometheus", "Print metrics in Prometheus's text format.")
        .action(({ directory, json, prometheus }) =>
          showStatus(directory ?? RELAY_DIRECTORY, json ?? false, prometheus ?? false)
        ),
    )
    .parse([...argv]);
}

async function showStatus(directory: string, json: boolean, prometheus: boolean): Promise<void> {
  if (prometheus) {
    const { text } = await ask(directory, { version: 1, op: "metrics" });
    console.log((text ?? "").trimEnd());
    return;
  }
  const { status } = await ask(directory, { version: 1, op: "status" });
  console.log(json ? JSON.stringify(status) : formatStatus(status!).trimEnd());
}

async function ask(
  directory: string,
  request: RelayRequest,
): Promise<Extract<RelayAnswer, { ok: true }>> {
  const answer = await askRelay(directory, request);
  if (answer !== undefined) return answer;
  throw new HpkError({
    what: "cannot show the status",
    why: `no hpk-net-daemon serves ${directory}`,
    fix: "it runs while containers use --datapath tap or relay; or start 'hpk-net-daemon serve'",
  });
}

function log(text: string): void {
  console.error(`hpk-net-daemon: ${text}`);
}
