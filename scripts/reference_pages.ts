/** The pages of docs/reference that are derived from the tables of commands and settings. */

import type { Command } from "@hpk/core/commands";
import { optionsOf } from "@hpk/core/commands";
import { helpOf, sentence, showOption, usageOf } from "@hpk/core/command-help";
import type { Option } from "@hpk/core/options";
import { optionOf, type SettingRow, variableOf } from "@hpk/core/settings-table";

/** A program: its name, what it is for, and its commands. */
export interface Program {
  readonly name: string;
  /** What it does, in whole sentences. */
  readonly about: string;
  // deno-lint-ignore no-explicit-any -- of programs with different contexts
  readonly commands: readonly Command<any>[];
}

const GENERATED = "<!-- Written by `deno task reference` from the tables in the code. -->\n";

/** Cells of a table of Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return `${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}\n`;
}

const code = (text: string): string => `\`${text}\``;

/**
 * The page of the command line.
 *
 * @param shared Options that many commands have: shown once, and linked to.
 */
export async function cliPage(
  programs: readonly Program[],
  shared: readonly Option[],
): Promise<string> {
  const sections = await Promise.all(programs.map(async ({ name, about, commands }) => {
    const parts = await Promise.all(
      commands.map((command) => commandSection(command, name, shared)),
    );
    return `## ${name}\n\n${about}\n\n${parts.join("")}`;
  }));
  return `# Command line

${GENERATED}
What \`--help\` prints, of every command. Commands of Apptainer that are not listed here reach it
unchanged.

${sections.join("")}## Network options

Before or after the command, and before the image. Each but \`--ip\`, \`--name\` and \`--host-network\` is
also a [setting](configuration.md).

${optionTable(shared)}`;
}

async function commandSection(
  // deno-lint-ignore no-explicit-any -- of programs with different contexts
  command: Command<any>,
  above: string,
  shared: readonly Option[],
): Promise<string> {
  if (command.hidden) return "";
  const path = command.name === above ? above : `${above} ${command.name}`;
  const options = await optionsOf(command);
  const own = options.filter((option) => !shared.includes(option));
  const below = await Promise.all(
    (command.commands ?? []).map((one) => commandSection(one, path, shared)),
  );
  const usage = `### ${path}\n\n\`\`\`\n${path} ${usageOf(command)}\n\`\`\`\n\n`;
  const about = `${sentence(command.summary)}${names(command)}\n\n`;
  const examples = (command.examples ?? []).map(([purpose, line]) => `# ${purpose}\n${line}\n`);
  return [
    usage,
    about,
    command.details === undefined ? "" : `${paragraphs(command.details)}\n\n`,
    own.length < options.length ? "Takes the [network options](#network-options).\n\n" : "",
    optionTable(own),
    refusedTable(own),
    command.output === undefined
      ? ""
      : `With \`--json\`: ${code(command.output)}, see [JSON](json.md).\n\n`,
    examples.length === 0 ? "" : `\`\`\`sh\n${examples.join("")}\`\`\`\n\n`,
    ...below,
  ].join("");
}

// deno-lint-ignore no-explicit-any -- of programs with different contexts
function names({ aliases = [] }: Command<any>): string {
  return aliases.length === 0 ? "" : ` Also ${aliases.map(code).join(", ")}.`;
}

/** Paragraphs whose indented lines are shown as they are. */
function paragraphs(text: string): string {
  return text.split("\n\n").map((part) =>
    part.startsWith("  ") ? `\`\`\`\n${part.replace(/^ {2}/gm, "")}\n\`\`\`` : part
  ).join("\n\n");
}

function optionTable(options: readonly Option[]): string {
  const shown = options.filter(({ help }) => help !== undefined);
  return table(["option", "meaning"], shown.map((one) => [code(showOption(one)), helpOf(one)]));
}

function refusedTable(options: readonly Option[]): string {
  const refused = options.flatMap((one) =>
    one.refused === undefined ? [] : [[code(showOption(one)), one.refused.join("; ")]]
  );
  return table(["refused", "why, and what to do instead"], refused);
}

/** The page of the configuration. */
export function configurationPage(
  settings: Readonly<Record<string, SettingRow<unknown>>>,
  path: string,
): string {
  const rows = Object.entries(settings);
  return `# Configuration

${GENERATED}
Settings are read from ${code(path)}, or from the file that \`HPK_CONFIG\` names:

\`\`\`ini
[network]
subnet = 10.96.0.0/24
dns = 192.0.2.53, 192.0.2.54
\`\`\`

An option overrides the environment variable, which overrides the file, which overrides the default.
\`hpktainer doctor\` shows each setting and where its value came from. A wrong key or value is an error
that names the file and the line, the variable or the option.

## Meaning

${
    table(
      ["setting", "meaning", "value", "default"],
      rows.map(([key, row]) => [code(key), row.about, row.expected, defaultOf(row)]),
    )
  }
## Where it is set

${
    table(
      ["key in the file", "variable", "option"],
      rows.map(([key, row]) => {
        const option = optionOf(key, row);
        const shown = option === undefined ? "" : code(showOption(option));
        return [code(key), code(variableOf(key)), option?.many ? `${shown}, repeatable` : shown];
      }),
    )
  }`;
}

function defaultOf({ otherwise, fallback }: SettingRow<unknown>): string {
  return otherwise ?? code(fallback);
}
