import { type Command, findCommand, type FoundCommand, optionsOf } from "../model/command.ts";
import { commandHelp } from "../model/command_help.ts";
import { checkWords } from "../model/command_words.ts";
import { HpkError } from "../model/errors.ts";

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
 * Runs a program of one command that may have subcommands.
 *
 * @param argv Arguments after the program's name.
 * @return The exit status.
 * @throws {HpkError} When the command line is wrong, or what it asks for fails.
 */
export async function runProgram<Context>(
  command: Command<Context>,
  argv: readonly string[],
  context: Context,
  print: (text: string) => void,
): Promise<number> {
  const found = findCommand(command.commands ?? [], argv) ?? { command, path: [], rest: argv };
  return await runCommand(found, { program: command.name, context, print });
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
  const name = [program, ...path].join(" ");
  if (command.loadRaw !== undefined) {
    return await (await command.loadRaw())(context, rest) ?? 0;
  }
  const [word] = rest;
  if (command.commands !== undefined && word !== undefined && !word.startsWith("-")) {
    refuseCommand(command, name, word);
  }
  const options = await optionsOf(command);
  const words = checkWords(command, options, name, rest);
  if (words === undefined || command.load === undefined) {
    print(commandHelp(command, options, name));
    return 0;
  }
  const action = await command.load();
  const { parseWords } = await import("./parse_words.ts");
  const parsed = await parseWords(command, options, name, words);
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
