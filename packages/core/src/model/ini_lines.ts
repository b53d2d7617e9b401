import { parse } from "@std/ini";

/** A line of an INI file that sets a key or begins a section. */
export interface IniLine {
  /** Its number, from 1. */
  readonly line: number;
  /** The section that it is in, or begins, without space around its name; undefined before the first. */
  readonly section: string | undefined;
  /** The key; undefined for a line that begins a section. */
  readonly key: string | undefined;
  /** The value as it is written, without double quotes around it. */
  readonly value: string;
}

/** What is wrong with an INI file. */
export interface IniProblem {
  /** Number of the line, from 1. */
  readonly line: number;
}

/** The end of a line. */
export const LINE_END = /\r\n|\r|\n/;

/**
 * Reads an INI file line by line, so that each value has its line and is what was written: the parser
 * would make 7 of "007".
 *
 * @return The lines without comments and blanks; or the first line that is not INI.
 */
export function readIniLines(text: string): readonly IniLine[] | IniProblem {
  const lines: IniLine[] = [];
  let section: string | undefined;
  for (const [index, written] of text.split(LINE_END).entries()) {
    const line = index + 1;
    let entries: [string, unknown][];
    try {
      entries = Object.entries(parse(written));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { line };
    }
    for (const [name, content] of entries) {
      const isSection = typeof content === "object" && content !== null;
      if (isSection) section = name.trim();
      const value = isSection ? "" : written.slice(written.indexOf("=") + 1).trim();
      lines.push({
        line,
        section,
        key: isSection ? undefined : name,
        value: value.replace(/^"(.*)"$/, "$1").trim(),
      });
    }
  }
  return lines;
}
