/** What a process was started with and where it is, as the kernel has it (proc_pid(5)). */
export interface ProcessContext {
  /** Path of its program; followed by " (deleted)" where the file is not there any more. */
  readonly program: string;
  /** Its arguments, its name first. */
  readonly argv: readonly string[];
  /** Its environment at its start. */
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
 * @throws {Error} When there is no such process, or it may not be looked at.
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

/** Each word ends with a zero. */
function wordsOf(text: string): string[] {
  return text.split("\0").slice(0, -1);
}
