import { HpkError } from "@hpk/core";

/** Default PATH of a container whose image does not set one, as with Docker. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Merges lists of `NAME=value`: the last value of a name counts, at its first position. A bare
 * `NAME` removes it.
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

/** Reads a file named by an option, from the option and the path. */
export type ReadOptionFile = (option: string, path: string) => string;

/**
 * Reads a value of --env: `NAME=value`, or `NAME` for the caller's own value, if set.
 *
 * @param host The caller's environment.
 * @return `NAME=value`, or `NAME` if it is not set, which removes the image's.
 * @throws {HpkError} When the name is missing.
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
 * Reads a file of variables or labels: one `NAME=value` per line; empty lines and lines that begin
 * with "#" are skipped, and quotes have no meaning, as with Docker.
 *
 * @param path The file's path, for messages.
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
