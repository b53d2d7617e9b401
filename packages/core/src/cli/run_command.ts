import { Command as CliffyCommand, ValidationError } from "@cliffy/command";
import type { Argument, Command, FoundCommand } from "../model/command.ts";
import { optionsOf } from "../model/command.ts";
import { commandHelp } from "../model/command_help.ts";
import { checkWords } from "../model/command_words.ts";
import { HpkError } from "../model/errors.ts";
import type { Option } from "../model/option.ts";

export { checkWords };

/** How a program runs its commands. */
export interface CommandRun<Context> {
  /** The program's name. */
  readonly program: string;
  readonly context: Context;
  /** Prints help. */
  readonly print: (text: string) => void;
}

/**
 * Runs a command of the table, or prints its help.
 *
 * @return The exit status.
 * @throws {HpkError} When its words are wrong, or it fails.
 */
export async function runCommand<Context>(
  { command, path, rest }: FoundCommand<Context>,
  { program, context, print }: CommandRun<Context>,
): Promise<number> {
  const name = [program, ...path].join(" ").trim();
  if (command.loadRaw !== undefined) {
    return await (await command.loadRaw())(context, rest) ?? 0;
  }
  const options = await optionsOf(command);
  if (command.load === undefined) {
    const [word] = rest;
    if (word === undefined || word.startsWith("-")) checkWords(command, options, name, rest);
    else refuseCommand(command, name, word);
    print(commandHelp(command, options, name));
    return 0;
  }
  const words = checkWords(command, options, name, rest);
  if (words === undefined) {
    print(commandHelp(command, options, name));
    return 0;
  }
  const action = await command.load();
  const parsed = await parse(command, options, name, words);
  return await action(context, parsed.options, ...parsed.args) ?? 0;
}

function refuseCommand<Context>(
  { commands = [], elsewhere }: Command<Context>,
  name: string,
  word: string,
): never {
  const what = `cannot run '${name} ${word}'`;
  if (elsewhere !== undefined && Object.hasOwn(elsewhere.fixes, word)) {
    throw new HpkError({ what, why: elsewhere.why, fix: elsewhere.fixes[word]! });
  }
  const names = commands.filter(({ hidden }) => !hidden).map((command) => command.name);
  throw new HpkError({
    what,
    why: "there is no such command",
    fix: `use one of ${names.join(", ")}; see '${name} --help'`,
  });
}

interface Parsed {
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
}

/** Parses words by Cliffy, which gives options their types, defaults and names. */
async function parse<Context>(
  row: Command<Context>,
  options: readonly Option[],
  name: string,
  words: readonly string[],
): Promise<Parsed> {
  // deno-lint-ignore no-explicit-any -- the types of a command come from the text of its options
  let cliffy: CliffyCommand<any> = new CliffyCommand().name(name).throwErrors();
  if (row.arguments !== undefined) {
    cliffy = cliffy.arguments(row.arguments.map(argumentDefinition).join(" "));
  }
  for (const option of options) {
    cliffy = cliffy.option(optionDefinition(option), option.help ?? "", {
      ...(option.many ? { collect: true } : {}),
      ...(option.fallback === undefined ? {} : { default: option.fallback }),
    });
  }
  let parsed: Parsed = { options: {}, args: [] };
  cliffy.action((values: Parsed["options"], ...args: string[]) => {
    parsed = { options: values, args };
  });
  try {
    await cliffy.parse([...words]);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const { message } = error;
    throw new HpkError(
      { what: `cannot run '${name}'`, why: message, fix: `see '${name} --help'` },
      {
        cause: error,
      },
    );
  }
  return parsed;
}

function argumentDefinition({ name, optional, many }: Argument): string {
  const inner = `${name}${many ? "..." : ""}:string`;
  return optional ? `[${inner}]` : `<${inner}>`;
}

function optionDefinition({ name, letter, value, type }: Option): string {
  const short = letter === undefined ? "" : `-${letter}, `;
  return `${short}--${name}${value === undefined ? "" : ` <value:${type ?? "string"}>`}`;
}
