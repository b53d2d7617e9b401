/**
 * Offline stand-in for the part of `@cliffy/command` that this project uses, on `npm:commander`.
 *
 * It keeps Cliffy's order of parsing where the two differ: what follows the first `--` is kept apart
 * as literal arguments, an option may be given only once unless it collects, and a bad command line
 * ends with status 2.
 */
import { Command as Commander, CommanderError, InvalidArgumentError, Option } from "commander";
import type { ArgumentTuple, OptionMember, OptionSettings } from "./cliffy_types.ts";

/** A command line that does not fit the definition. */
export class ValidationError extends Error {
  override name = "ValidationError";
  /** The exit status that the program should end with. */
  readonly exitCode: number;

  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 2;
  }
}

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;
// Default arguments of `Command<any>` must accept every command, those of `Command` none.
// deno-lint-ignore no-explicit-any
type DefaultArguments<Options> = 0 extends 1 & Options ? any : [];

/** Commander's code for a command that only has subcommands, called without one. */
const BARE = "commander.help";

/** A command: its options, arguments, subcommands and what it does. */
export class Command<
  Options extends object = Record<never, never>,
  Arguments extends unknown[] = DefaultArguments<Options>,
> {
  readonly #commander = new Commander();
  readonly #children: AnyCommand[] = [];
  readonly #seen = new Map<string, number>();
  #parent: AnyCommand | undefined;
  #hidden = false;
  #throws = false;
  #exits = true;
  #literal: string[] = [];
  #unsent = "";

  constructor() {
    this.#commander
      .exitOverride()
      .enablePositionalOptions()
      .helpCommand(false)
      .helpOption("-h, --help", "Show this help.")
      .configureOutput({
        writeOut: (text) => console.log(text.trimEnd()),
        writeErr: (text) => void (this.#root().#unsent = text),
      });
  }

  /** Sets the name that help shows. */
  name(name: string): this {
    this.#commander.name(name);
    return this;
  }

  /** Sets what `-V` and `--version` print. */
  version(version: string): this {
    this.#commander.version(version, "-V, --version", "Show the version number for this program.");
    return this;
  }

  /** Sets the text of help; its first line is the summary in the parent's help. */
  description(text: string): this {
    this.#commander.description(text).summary(text.trim().split("\n", 1)[0] ?? "");
    return this;
  }

  /**
   * Adds another name for the subcommand that `command` added last; Cliffy ignores it elsewhere.
   * @throws {Error} before any `command`
   */
  alias(alias: string): this {
    const latest = this.#children.at(-1);
    if (!latest) throw new Error(`Cannot add the alias "${alias}": call command() first`);
    latest.#commander.alias(alias);
    return this;
  }

  /** Leaves the command out of its parent's help. */
  hidden(): this {
    this.#hidden = true;
    return this;
  }

  /** Adds an example to the end of help. */
  example(name: string, text: string): this {
    this.#commander.addHelpText("after", `\nExample: ${name}\n  ${text.replaceAll("\n", "\n  ")}`);
    return this;
  }

  /** Takes everything after the first positional argument as it stands, options too. */
  stopEarly(): this {
    this.#commander.passThroughOptions();
    return this;
  }

  /** Throws a `ValidationError` where help, a message and exit status 2 are the default. */
  throwErrors(): this {
    this.#throws = true;
    return this;
  }

  /** As `throwErrors`, and returns from `parse` after help and version too. */
  noExit(): this {
    this.#exits = false;
    return this.throwErrors();
  }

  /** Sets the positional arguments: `<name:type>`, `[name:type]`, `[name...:type]`. */
  arguments<const Definition extends string>(
    definition: Definition,
    descriptions: string[] = [],
  ): Command<Options, ArgumentTuple<Definition>> {
    for (const [index, word] of definition.split(" ").entries()) {
      const { brackets, name, type, isVariadic } = readDefinition(word);
      const [open, close] = brackets;
      const argument = this.#commander.createArgument(
        `${open}${name}${isVariadic ? "..." : ""}${close}`,
        descriptions[index] ?? "",
      );
      argument.argParser((text: string, previous: unknown) =>
        isVariadic
          ? [...(Array.isArray(previous) ? previous : []), convert(text, type)]
          : convert(text, type)
      );
      this.#commander.addArgument(argument);
    }
    return this as unknown as Command<Options, ArgumentTuple<Definition>>;
  }

  /** Adds an option: `-s, --long`, `--long <value:type>`, `--long [value:type]`, `--no-long`. */
  option<const Flags extends string, const Settings extends OptionSettings = Record<never, never>>(
    flags: Flags,
    description: string,
    settings?: Settings,
  ): Command<Options & OptionMember<Flags, Settings>, Arguments> {
    const value = /[<[].*[>\]]$/.exec(flags)?.[0];
    const definition = value === undefined ? undefined : readDefinition(value);
    const option = new Option(flags.replace(/:\w+(?=[>\]]$)/, ""), description);
    if (settings?.default !== undefined) option.default(settings.default);
    if (settings?.required) option.makeOptionMandatory();
    if (settings?.hidden) option.hideHelp();
    const key = option.attributeName();
    if (definition) {
      option.argParser((text: string, previous: unknown) => {
        const converted = convert(text, definition.type);
        if (!settings?.collect) return converted;
        return (this.#seen.get(option.name()) ?? 0) > 0 && Array.isArray(previous)
          ? [...previous, converted]
          : [converted];
      });
    }
    this.#commander.addOption(option);
    this.#commander.on(`option:${option.name()}`, () => {
      const times = (this.#seen.get(option.name()) ?? 0) + 1;
      this.#seen.set(option.name(), times);
      if (settings?.collect && !definition) {
        this.#commander.setOptionValue(key, Array(times).fill(true));
      } else if (times > 1 && !settings?.collect) {
        throw new ValidationError(
          `Option "${
            option.long ?? option.short
          }" can only occur once, but was found several times.`,
        );
      }
    });
    return this as unknown as Command<
      Options & OptionMember<Flags, Settings>,
      Arguments
    >;
  }

  /** Sets what the command does, with its options and its positional arguments. */
  action(fn: (options: Options, ...args: Arguments) => void | Promise<void>): this {
    this.#commander.action((...all: unknown[]) => {
      const args = all.slice(0, -2);
      // Commander hands a variadic argument over as one array, and undefined for an absent one.
      const last = args.at(-1);
      const flat = Array.isArray(last) ? [...args.slice(0, -1), ...last] : args;
      while (flat.length > 0 && flat.at(-1) === undefined) flat.pop();
      return fn(this.#commander.opts() as Options, ...flat as Arguments);
    });
    return this;
  }

  /** Adds a subcommand. Call it after everything else: Cliffy's next call would configure `cmd`. */
  command(name: string, cmd: AnyCommand): this {
    cmd.#parent = this as unknown as AnyCommand;
    this.#children.push(cmd);
    this.#commander.addCommand(cmd.#commander.name(name), { hidden: cmd.#hidden });
    return this;
  }

  /** The help text. */
  getHelp(): string {
    return this.#commander.helpInformation();
  }

  /** Prints the help text on standard output. */
  showHelp(): void {
    this.#commander.outputHelp();
  }

  /** What followed the first `--` on the command line. */
  getLiteralArgs(): string[] {
    return this.#root().#literal;
  }

  /**
   * Parses the words of a command line and runs the action of the command that they name.
   * @throws {ValidationError} when the words do not fit, after `throwErrors` or `noExit`
   */
  async parse(argv: string[] = Deno.args): Promise<void> {
    const cut = argv.indexOf("--");
    this.#literal = cut < 0 ? [] : argv.slice(cut + 1);
    this.#forgetSeen();
    try {
      await this.#commander.parseAsync(cut < 0 ? argv : argv.slice(0, cut), { from: "user" });
    } catch (error) {
      this.#handle(error);
    }
  }

  #handle(error: unknown): void {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === BARE)) {
      if (error.code === BARE) console.log(this.#unsent.trimEnd());
      if (this.#exits) Deno.exit(0);
      return;
    }
    const failure = error instanceof CommanderError
      ? new ValidationError(error.message.replace(/^error: /, ""), { cause: error })
      : error;
    if (this.#throws || !(failure instanceof ValidationError)) throw failure;
    this.showHelp();
    console.error(`  error: ${failure.message}\n`);
    Deno.exit(failure.exitCode);
  }

  #forgetSeen(): void {
    this.#seen.clear();
    for (const child of this.#children) child.#forgetSeen();
  }

  #root(): AnyCommand {
    return this.#parent ? this.#parent.#root() : this as unknown as AnyCommand;
  }
}

interface Definition {
  /** `<` and `>` when required, `[` and `]` when optional. */
  brackets: [string, string];
  name: string;
  type: string;
  isVariadic: boolean;
}

function readDefinition(word: string): Definition {
  const match = /^([<[])(\.\.\.)?([^:.>\]]+)(\.\.\.)?(?::(\w+))?([>\]])$/.exec(word);
  if (!match) throw new Error(`Cannot read the argument definition "${word}": write <name:type>`);
  const [, open = "", before, name = "", after, type = "string", close = ""] = match;
  return { brackets: [open, close], name, type, isVariadic: Boolean(before ?? after) };
}

function convert(text: string, type: string): string | number | boolean {
  switch (type) {
    case "number":
    case "integer": {
      const number = Number(text);
      const fits = type === "number" ? Number.isFinite(number) : Number.isInteger(number);
      if (text === "" || !fits) throw new InvalidArgumentError(`It must be of type "${type}".`);
      return number;
    }
    case "boolean":
      if (text === "true" || text === "1") return true;
      if (text === "false" || text === "0") return false;
      throw new InvalidArgumentError('It must be of type "boolean".');
    default:
      return text;
  }
}
