/**
 * Offline stand-in for the part of `@cliffy/command` that this project uses: one command, its options
 * by their types, and its operands. Words come in one form, `--name` or `--name=value`; help and
 * messages are the project's own. No npm package is as small: the node API that one brings along costs
 * a start 15 ms.
 */

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

interface Option extends OptionSettings {
  /** Member of the options: the name in camel case, without "no-". */
  readonly key: string;
  /** Type of its value; undefined for an option that is on or off. */
  readonly type: string | undefined;
  /** What it means without a value. */
  readonly switched: boolean;
}

/** A command: its options, arguments, and what it does. */
// deno-lint-ignore no-explicit-any
export class Command<Options = any> {
  readonly #options = new Map<string, Option>();
  #arguments: readonly string[] = [];
  #action: (options: Options, ...args: string[]) => void | Promise<void> = () => {};

  /** Sets its name, which only messages have. */
  name(_name: string): this {
    return this;
  }

  /** Throws a `ValidationError` where a message and an exit are the default, which this lacks. */
  throwErrors(): this {
    return this;
  }

  /** Sets the positional arguments: `<name:string>`, `[name:string]`, `[name...:string]`. */
  arguments(definition: string): this {
    this.#arguments = definition.split(" ");
    return this;
  }

  /** Adds an option: `-s, --long`, `--long <value:type>`, `--no-long`. */
  option(flags: string, _description: string, settings: OptionSettings = {}): this {
    const [, name = "", type] = /--([a-z0-9-]+)(?: <value:(\w+)>)?$/.exec(flags) ?? [];
    const positive = name.replace(/^no-/, "");
    const key = positive.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const switched = positive === name;
    this.#options.set(name, { ...settings, key, type, switched });
    return this;
  }

  /** Sets what the command does, with its options and its positional arguments. */
  action(act: (options: Options, ...args: string[]) => void | Promise<void>): this {
    this.#action = act;
    return this;
  }

  /**
   * Parses words and runs the action.
   * @throws {ValidationError} when the words do not fit
   */
  async parse(words: string[]): Promise<void> {
    const values: Record<string, unknown> = {};
    for (const { key, switched, default: value } of this.#options.values()) {
      if (value !== undefined) values[key] = value;
      else if (!switched) values[key] = true;
    }
    const given = new Set<string>();
    for (const word of words.filter((one) => one.startsWith("-"))) {
      const [, name = "", text] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = this.#options.get(name);
      if (option === undefined) throw new ValidationError(`unknown option ${word}`);
      const { key, type, collect, switched } = option;
      const value = type === undefined ? switched : convert(text ?? "", type);
      values[key] = collect ? [...(given.has(key) ? values[key] as unknown[] : []), value] : value;
      given.add(key);
    }
    const operands = words.filter((one) => !one.startsWith("-"));
    const least = this.#arguments.filter((one) => one.startsWith("<")).length;
    const most = this.#arguments.at(-1)?.includes("...") ? Infinity : this.#arguments.length;
    if (operands.length < least || operands.length > most) {
      throw new ValidationError(`${operands.length} arguments`);
    }
    await this.#action(values as Options, ...operands);
  }
}

function convert(text: string, type: string): string | number {
  if (type === "string") return text;
  const number = Number(text);
  const fits = type === "number" ? Number.isFinite(number) : Number.isInteger(number);
  if (text === "" || !fits) throw new ValidationError(`'${text}' is not of the type ${type}`);
  return number;
}
