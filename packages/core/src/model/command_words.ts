/** Checks the words of a command against its row in the table, before Cliffy parses them. */

import type { Command } from "./command.ts";
import { HELP_OPTION } from "./command_help.ts";
import { HpkError } from "./errors.ts";
import { type Option, optionNamed, scanOptions } from "./option.ts";

/**
 * Checks a command's words and writes them in one form. What is wrong with them is said here, so that
 * it does not depend on a library's release.
 *
 * @param path The command's name with the program's.
 * @return The words with each option as `--name` or `--name=value`, before the operands; undefined
 * when help is asked for.
 * @throws {HpkError} When they do not fit the command.
 */
export function checkWords<Context>(
  command: Command<Context>,
  options: readonly Option[],
  path: string,
  words: readonly string[],
): string[] | undefined {
  const style = { command: path, interspersed: true } as const;
  const { values, operands } = scanOptions(words, [...options, HELP_OPTION], style);
  if (values.has(HELP_OPTION.name)) return undefined;
  checkOperands(command, path, operands);
  for (const { name, required, value } of options) {
    if (required && !values.has(name)) fail(path, `--${name} is missing`, `add --${name} ${value}`);
  }
  return [
    ...[...values].flatMap(([name, given]) => wordsOf(optionNamed(options, name)!, given)),
    ...operands,
  ];
}

/** An option's words in one form. */
function wordsOf(option: Option, given: readonly string[]): string[] {
  const last = given.at(-1)!;
  if (option.value === undefined) return last === "true" ? [`--${option.name}`] : [];
  const counting = option.many ? given : [last];
  for (const value of counting) checkValue(option, value);
  return counting.map((value) => `--${option.name}=${value}`);
}

function checkValue({ name, type, choices }: Option, value: string): void {
  const wrong = (why: string, fix: string): never => {
    throw new HpkError({ what: `cannot use --${name} '${value}'`, why, fix });
  };
  if (value === "") wrong("its value is empty", "give one");
  if (type === "integer" && !/^-?[0-9]{1,15}$/.test(value)) {
    wrong("it is not a whole number", "give one");
  }
  if (type === "number" && !/^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(value)) {
    wrong("it is not a number", "give one");
  }
  if (choices !== undefined && !choices.includes(value)) {
    wrong("it has no such value", `give one of ${choices.join(", ")}`);
  }
}

function checkOperands<Context>(
  { arguments: wanted = [] }: Command<Context>,
  path: string,
  operands: readonly string[],
): void {
  const usage = `see '${path} --help'`;
  const missing = wanted.find(({ optional }, index) => !optional && index >= operands.length);
  if (missing !== undefined) fail(path, `${missing.name} is missing`, usage);
  const extra = operands[wanted.length];
  if (extra !== undefined && !wanted.at(-1)?.many) {
    fail(path, wanted.length === 0 ? "it takes no arguments" : `'${extra}' is one too many`, usage);
  }
  for (const [index, operand] of operands.entries()) {
    const { name, choices } = wanted[Math.min(index, wanted.length - 1)]!;
    // Nothing that a command names begins with a hyphen, and a file's path can begin with "./".
    if (operand.startsWith("-")) fail(path, `'${operand}' is not a valid ${name}`, usage);
    if (choices !== undefined && !choices.includes(operand)) {
      fail(path, `'${operand}' is not a valid ${name}`, `give one of ${choices.join(", ")}`);
    }
  }
}

function fail(path: string, why: string, fix: string): never {
  throw new HpkError({ what: `cannot run '${path}'`, why, fix });
}
