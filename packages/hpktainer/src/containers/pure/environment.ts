import { HpkError } from "@hpk/core";

/** PATH of a container whose image sets none, as Docker gives it. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Joins lists of `NAME=value`: of a name that is given twice the last value counts, at its first place.
 * A `NAME` alone takes it out.
 */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string | undefined>();
  for (const entry of lists.flat()) {
    const equals = entry.indexOf("=");
    if (equals === -1) merged.delete(entry);
    else merged.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

/** Reads a file that an option names, from the option and the path. */
export type ReadOptionFile = (option: string, path: string) => string;

/**
 * Reads a value of --env: `NAME=value`, or `NAME` for the caller's own, if it is set.
 *
 * @param host The caller's environment.
 * @return `NAME=value`, or `NAME` where it is not set, which takes the image's out.
 * @throws {HpkError} When there is no name.
 */
export function readVariable(text: string, host: Readonly<Record<string, string>>): string {
  if (text === "" || text.startsWith("=")) {
    throw new HpkError({
      what: `cannot use -e '${text}'`,
      why: "it has no name",
      fix: "write NAME=VALUE, or NAME",
    });
  }
  if (text.includes("=")) return text;
  const value = Object.hasOwn(host, text) ? host[text] : undefined;
  return value === undefined ? text : `${text}=${value}`;
}

/**
 * Reads a file of variables or labels: a `NAME=value` a line, empty lines and those that begin with
 * "#" are left out; nothing is a quote, as with Docker.
 *
 * @param path Where the text is from, for messages.
 * @throws {HpkError} On a line without a name.
 */
export function readVariableFile(
  path: string,
  text: string,
  host: Readonly<Record<string, string>>,
): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trimStart();
    if (line === "" || line.startsWith("#")) return [];
    const name = line.split("=", 1)[0]!;
    if (name === "" || /\s/.test(name)) {
      throw new HpkError({
        what: `${path}:${index + 1}: cannot read '${line}'`,
        why: name === "" ? "it has no name" : "a name has no white space",
        fix: "write NAME=VALUE",
      });
    }
    return [readVariable(line, host)];
  });
}
