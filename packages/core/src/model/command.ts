/** The form of a table of commands: from it help, completion and the reference are derived. */

import type { Option } from "./option.ts";

/** An operand of a command. */
export interface Argument {
  /** Its name as help shows it, such as "CONTAINER". */
  readonly name: string;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** Whether it may be given several times; the last only. */
  readonly many?: true;
  /** Its values, where they can be listed. */
  readonly choices?: readonly string[];
  /** What completion offers for it. */
  readonly completes?: "containers";
}

/**
 * A command, without the types of its options.
 *
 * @typeParam Context What every action is given by the program.
 */
export interface Command<Context> {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Whether help, completion and the reference leave it out. */
  readonly hidden?: true;
  /** What it does, in a line without a full stop. */
  readonly summary: string;
  /** More about it, in whole sentences. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  /** Its options; a function where they are in a module that is loaded when needed. */
  readonly options?: readonly Option[] | (() => Promise<readonly Option[]>);
  /** Command lines with what they are for. */
  readonly examples?: readonly (readonly [purpose: string, line: string])[];
  /** What it prints with `--json`, by the names of types: "{version, ports: [PortView]}". */
  readonly output?: string;
  /** Its subcommands; a command has these or an action. */
  readonly commands?: readonly Command<Context>[];
  /** Subcommands that other programs have and this one has not. */
  readonly elsewhere?: Elsewhere;
  /** Loads what it does, where its words are read by its arguments and options. */
  readonly load?: () => Promise<LoadedAction<Context>>;
  /** Loads what it does, where it reads its words itself. */
  readonly loadRaw?: () => Promise<RawAction<Context>>;
}

/** Subcommands that a program does not have. */
export interface Elsewhere {
  readonly why: string;
  /** What to do instead, by the subcommand's name. */
  readonly fixes: Readonly<Record<string, string>>;
}

/** Exit status of a command; nothing means 0. */
export type Ended = number | void;

/** What a command does: given the program's context, its options and its arguments. */
export type Action<Context, Options extends readonly Option[]> = (
  context: Context,
  options: OptionValues<Options>,
  ...args: string[]
) => Ended | Promise<Ended>;

/** The same where the options' types are not known any more: a row is checked where it is written. */
export type LoadedAction<Context> = (
  context: Context,
  // deno-lint-ignore no-explicit-any -- `defineCommands` has checked it
  options: any,
  ...args: string[]
) => Ended | Promise<Ended>;

/** What a command does that reads its words itself. */
export type RawAction<Context> = (
  context: Context,
  words: readonly string[],
) => Ended | Promise<Ended>;

/** Values of options by their names in camel case; `--no-trunc` is `trunc: false`. */
export type OptionValues<Options extends readonly Option[]> = Simplify<
  UnionToIntersection<{ [K in keyof Options]: Member<Options[K]> }[number]>
>;

type Member<O extends Option> = O["name"] extends `no-${infer Name}`
  ? { readonly [K in Camel<Name>]: boolean }
  : O extends { required: true } | { fallback: string }
    ? { readonly [K in Camel<O["name"]>]: Value<O> }
  : { readonly [K in Camel<O["name"]>]?: Value<O> };

type Value<O extends Option> = O extends { value: string } ? O extends { many: true } ? string[]
  : O extends { type: string } ? number
  : O extends { choices: readonly (infer Choice extends string)[] } ? Choice
  : string
  : true;

/** `flannel-env` as `flannelEnv`. */
export type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type UnionToIntersection<U> = (U extends unknown ? (one: U) => void : never) extends
  (all: infer I) => void ? I : never;
type Simplify<T> = { [K in keyof T]: T[K] };

/** Makes a row of a table of commands; its action is checked against its options. */
export type DefineCommand<Context> = <const Options extends readonly Option[] = []>(
  row:
    & Omit<Command<Context>, "options" | "load">
    & { readonly options?: Options; readonly load: () => Promise<Action<Context, Options>> },
) => Command<Context>;

/** The maker of rows for a program whose actions are given a context of that type. */
export function defineCommands<Context>(): DefineCommand<Context> {
  return (row) => row as Command<Context>;
}

/** Finds a command by its name or an alias. */
export function commandNamed<Context>(
  commands: readonly Command<Context>[],
  name: string | undefined,
): Command<Context> | undefined {
  return commands.find((command) =>
    command.name === name || (name !== undefined && command.aliases?.includes(name))
  );
}

/** A command that words name, the words that name it, and what follows them. */
export interface FoundCommand<Context> {
  readonly command: Command<Context>;
  /** Names of it and of the commands it is below, without aliases, such as ["container", "ls"]. */
  readonly path: readonly string[];
  readonly rest: readonly string[];
}

/** Finds the command that words begin with, as deep as they name one. */
export function findCommand<Context>(
  commands: readonly Command<Context>[],
  words: readonly string[],
): FoundCommand<Context> | undefined {
  const [word, ...rest] = words;
  const command = commandNamed(commands, word);
  if (command === undefined) return undefined;
  const below = findCommand(command.commands ?? [], rest);
  return below === undefined
    ? { command, path: [command.name], rest }
    : { ...below, path: [command.name, ...below.path] };
}

/** A command's options, loaded if need be. */
export async function optionsOf<Context>(
  { options = [] }: Command<Context>,
): Promise<readonly Option[]> {
  return typeof options === "function" ? await options() : options;
}
