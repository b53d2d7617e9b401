import { callTwice, SystemCallError } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/** SIGPIPE and the default disposition (asm-generic/signal.h, signal(7)). */
const SIGPIPE = 13;
const SIG_DFL = null;

/** Bytes of an address; both architectures that Deno compiles for on Linux are little-endian. */
const ADDRESS_SIZE = 8;

/**
 * Replaces this process by another program, execv(3). The process keeps its pid, standard streams,
 * terminal and parent, so signals, job control and the exit status are the program's own. It also
 * keeps its environment, apart from the given changes.
 *
 * The runtime ignores SIGPIPE, which execv would pass on; the program gets the default back.
 *
 * @param path Absolute path of the program.
 * @param argv Its arguments, name first.
 * @param variables Environment variables to set first.
 * @throws {SystemCallError} If the program cannot be executed. Otherwise it does not return.
 */
export function execInPlace(
  path: string,
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): never {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  const { signal, execv } = libc;
  const ignored = signal(SIGPIPE, SIG_DFL);
  const words = stringVector(argv);
  const { errno } = callTwice(() => execv(cString(path), words));
  signal(SIGPIPE, ignored);
  throw new SystemCallError(`execv ${path}`, errno);
}

/** access(2): whether a file may be executed (unistd.h). */
const X_OK = 1;

/** Whether this process may execute a file, or search a directory. */
export function mayExecute(path: string): boolean {
  return libc.access(cString(path), X_OK) === 0;
}

/**
 * A null-terminated list of C strings, as execv(3) takes it. Addresses and strings share one
 * buffer, so that a reference to the list keeps the strings alive.
 */
function stringVector(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const strings = texts.map(cString);
  const stringsStart = (strings.length + 1) * ADDRESS_SIZE;
  const buffer = new Uint8Array(
    stringsStart + strings.reduce((size, string) => size + string.length, 0),
  );
  const view = new DataView(buffer.buffer);
  const base = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
  let offset = stringsStart;
  strings.forEach((string, index) => {
    buffer.set(string, offset);
    view.setBigUint64(index * ADDRESS_SIZE, base + BigInt(offset), true);
    offset += string.length;
  });
  return buffer;
}
