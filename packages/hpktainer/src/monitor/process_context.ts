/** A process's program, arguments, environment and location, from the kernel (proc_pid(5)). */
export interface ProcessContext {
  /** Path of its program; followed by " (deleted)" if the file no longer exists. */
  readonly program: string;
  /** Its arguments, its name first. */
  readonly argv: readonly string[];
  /** Its initial environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly rootDirectory: string;
  /** Its namespaces for mounts, networks, processes and users, such as "mnt:[4026531841]". */
  readonly namespaces: readonly string[];
}

/**
 * Reads a process's context.
 *
 * @param pid Its number, or "self".
 * @throws {Error} When the process does not exist, or may not be read.
 */
export function readProcessContext(pid: number | "self"): ProcessContext {
  const at = `/proc/${pid}`;
  return {
    program: Deno.readLinkSync(`${at}/exe`),
    argv: wordsOf(Deno.readTextFileSync(`${at}/cmdline`)),
    environment: Object.fromEntries(
      wordsOf(Deno.readTextFileSync(`${at}/environ`)).map((word) => {
        const end = word.indexOf("=");
        return [word.slice(0, end), word.slice(end + 1)];
      }),
    ),
    workingDirectory: Deno.readLinkSync(`${at}/cwd`),
    rootDirectory: Deno.readLinkSync(`${at}/root`),
    namespaces: ["mnt", "net", "pid", "user"].map((kind) => Deno.readLinkSync(`${at}/ns/${kind}`)),
  };
}

/** Each word ends with NUL. */
function wordsOf(text: string): string[] {
  return text.split("\0").slice(0, -1);
}
