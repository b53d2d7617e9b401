/**
 * Offline stand-in for the part of `@cliffy/command` that this project uses, on `npm:commander`: one
 * command, its options by their types, and its operands. Help and messages are the project's own.
 */
import { Command as Commander, CommanderError, InvalidArgumentError, Option } from "commander";

/** A command line that does not fit the definition. */
export class ValidationError extends Error {
  override name = "ValidationError";
}

/** What an option does besides its flags. */
export interface OptionSettings {
  /** The value when the option is not given. */
  default?: unknown;
  /** Whether the option may be given many times; its value is then an array. */
  collect?: boolean;
}

/** A command: its options, arguments, and what it does. */
// deno-lint-ignore no-explicit-any
export class Command<Options = any> {
  readonly #commander = new Commander().exitOverride().helpOption(false).configureOutput({
    writeErr: () => {},
  });

  /** Sets its name. */
  name(name: string): this {
    this.#commander.name(name);
    return this;
  }

  /** Throws a `ValidationError` where a message and an exit are the default, which this lacks. */
  throwErrors(): this {
    return this;
  }

  /** Sets the positional arguments: `<name:string>`, `[name:string]`, `[name...:string]`. */
  arguments(definition: string): this {
    this.#commander.arguments(definition.replaceAll(/:string/g, ""));
    return this;
  }

  /** Adds an option: `-s, --long`, `--long <value:type>`, `--no-long`. */
  option(flags: string, description: string, settings: OptionSettings = {}): this {
    const type = /:(\w+)>$/.exec(flags)?.[1];
    const option = new Option(flags.replace(/:\w+>$/, ">"), description);
    if (settings.default !== undefined) option.default(settings.default);
    if (type !== undefined) {
      option.argParser((text: string, previous: unknown) => {
        const value = convert(text, type);
        if (!settings.collect) return value;
        return [...(Array.isArray(previous) ? previous : []), value];
      });
    }
    this.#commander.addOption(option);
    return this;
  }

  /** Sets what the command does, with its options and its positional arguments. */
  action(act: (options: Options, ...args: string[]) => void | Promise<void>): this {
    this.#commander.action((...all: unknown[]) => {
      // Commander gives an array for a variadic argument, and undefined for an absent one.
      const args = all.slice(0, -2).flat().filter((one) => one !== undefined) as string[];
      return act(this.#commander.opts() as Options, ...args);
    });
    return this;
  }

  /**
   * Parses words and runs the action.
   * @throws {ValidationError} when the words do not fit
   */
  async parse(words: string[]): Promise<void> {
    try {
      await this.#commander.parseAsync(words, { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      throw new ValidationError(error.message.replace(/^error: /, ""), { cause: error });
    }
  }
}

function convert(text: string, type: string): string | number {
  if (type === "string") return text;
  const number = Number(text);
  const fits = type === "number" ? Number.isFinite(number) : Number.isInteger(number);
  if (text === "" || !fits) throw new InvalidArgumentError(`It must be of type "${type}".`);
  return number;
}
