import { Command as CliffyCommand, ValidationError } from "@cliffy/command";
import type { Argument, Command } from "../model/command.ts";
import { HpkError } from "../model/errors.ts";
import type { Option } from "../model/option.ts";

/** What words say: options by their names in camel case, and operands. */
export interface ParsedWords {
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
}

/**
 * Parses words that fit a command by Cliffy, which gives options their types, defaults and names.
 *
 * @param name The command's name with the program's.
 * @throws {HpkError} When Cliffy finds them wrong.
 */
export async function parseWords<Context>(
  row: Command<Context>,
  options: readonly Option[],
  name: string,
  words: readonly string[],
): Promise<ParsedWords> {
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
  let parsed: ParsedWords = { options: {}, args: [] };
  cliffy.action((values: ParsedWords["options"], ...args: string[]) => {
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
