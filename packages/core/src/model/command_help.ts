import type { Argument, Command } from "./command.ts";
import type { Option } from "./option.ts";

/** The option that every command has. */
export const HELP_OPTION: Option = { name: "help", letter: "h", help: "show this help" };

/** A command's options and operands in a line, such as "[OPTIONS] NAME PORTS...". */
export function usageOf<Context>(command: Command<Context>): string {
  if (command.commands !== undefined) return command.load === undefined ? "COMMAND" : "[OPTIONS]";
  const operands = (command.arguments ?? []).map(showArgument);
  return ["[OPTIONS]", ...operands].join(" ");
}

/** An operand as usage shows it, such as "[ARG...]". */
export function showArgument({ name, optional, many }: Argument): string {
  const text = `${name}${many ? "..." : ""}`;
  return optional ? `[${text}]` : text;
}

/** An option as it is written, such as "-t, --time SECONDS". */
export function showOption({ name, letter, value }: Option): string {
  const short = letter === undefined ? "" : `-${letter}, `;
  return `${short}--${name}${value === undefined ? "" : ` ${value}`}`;
}

/** An option's help, with its default where it has one. */
export function helpOf({ help = "", fallback }: Option): string {
  return fallback === undefined ? help : `${help}; default: ${fallback}`;
}

/** Options in columns, without those that are refused; each line is ended by a line feed. */
export function optionLines(options: readonly Option[]): string {
  const shown = options.filter(({ help }) => help !== undefined);
  const indent = shown.some(({ letter }) => letter !== undefined) ? "    " : "";
  return columns(shown.map((option) => [
    `${option.letter === undefined ? indent : ""}${showOption(option)}`,
    helpOf(option),
  ]));
}

/**
 * What `--help` prints of a command. It has no colour and no width but its own, so that it is the same
 * on a terminal and in a pipe.
 *
 * @param path Its name with the program's, such as "hpktainer container stop".
 */
export function commandHelp<Context>(
  command: Command<Context>,
  options: readonly Option[],
  path: string,
): string {
  const commands = (command.commands ?? []).filter(({ hidden }) => !hidden);
  const examples = (command.examples ?? []).map(([purpose, line]) =>
    `  ${purpose}:\n    ${line}\n`
  );
  return [
    `Usage: ${path} ${usageOf(command)}\n`,
    `${sentence(command.summary)}\n${command.details === undefined ? "" : `${command.details}\n`}`,
    section("Commands", columns(commands.map(({ name, summary }) => [name, summary]))),
    section("Options", optionLines(withHelp(options))),
    section("Examples", examples.join("")),
  ].filter((part) => part !== "").join("\n");
}

function withHelp(options: readonly Option[]): readonly Option[] {
  const hasHelp = options.some(({ name }) => name === HELP_OPTION.name);
  return hasHelp ? options : [...options, HELP_OPTION];
}

/** A summary as a sentence: "list containers" as "List containers." */
export function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function section(title: string, body: string): string {
  return body === "" ? "" : `${title}:\n${body}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}
