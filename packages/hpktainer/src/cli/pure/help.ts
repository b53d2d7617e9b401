import type { Command } from "@hpk/core/commands";
import { optionLines, showArgument } from "@hpk/core/command-help";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import { formatTable } from "../../shared/pure/text_table.ts";

/**
 * What `hpktainer --help` prints.
 *
 * @param commands The table of commands.
 */
export function mainHelp<Context>(
  version: string,
  commands: readonly Command<Context>[],
): string {
  const rows = commands.filter(({ hidden }) => !hidden).map((command) => [
    `  ${[command.name, ...operandsOf(command)].join(" ")}`,
    command.summary,
  ]);
  return `hpktainer ${version}: gives any container an IP address of its own on the host's pod network

Usage: hpktainer [OPTIONS] COMMAND [ARG...]

Commands:
${formatTable([...rows, ["  any other", "passed on to Apptainer unchanged"]])}
'hpktainer COMMAND --help' says more. 'hpktainer run --runtime crun IMAGE' runs an OCI image with
Docker's options; so does every command of 'hpktainer container'.

Network options, before or after the command and before the image:
${optionLines(NETWORK_OPTIONS)}
Settings are read from /etc/hpktainer/config.ini, then HPK_* variables, then options;
'hpktainer doctor' shows each and where it came from. --debug, or HPK_LOG=debug, shows each step.

Examples:
  hpktainer run --subnet 10.96.0.0/24 image.sif         a static network
  hpktainer exec image.sif ip address show eth0         on Flannel's subnet, else on a free one
  hpktainer instance start --name web image.sif web     a service
  hpktainer exec --network host image.sif hostname      the host's own network, without root

Exit status: the container's own; 125 when hpktainer itself fails.
`;
}

function operandsOf<Context>(command: Command<Context>): readonly string[] {
  return command.commands === undefined ? (command.arguments ?? []).map(showArgument) : ["COMMAND"];
}
