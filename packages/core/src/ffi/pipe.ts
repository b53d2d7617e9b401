import { callOrThrow } from "./errno.ts";
import { FileDescriptor, setInheritable } from "./fd.ts";
import { cString, libc } from "./libc.ts";
import { writeFrom } from "./unix_socket.ts";

/** pipe2(2) flag (asm-generic/fcntl.h). */
const O_CLOEXEC = 0o2000000;

/** Creates a pipe, pipe2(2); programs inherit neither end. */
export function openPipe(): { readonly reader: FileDescriptor; readonly writer: FileDescriptor } {
  const fds = new Int32Array(2);
  callOrThrow("pipe2", () => libc.pipe2(new Uint8Array(fds.buffer), O_CLOEXEC));
  return { reader: new FileDescriptor(fds[0]!), writer: new FileDescriptor(fds[1]!) };
}

/** fcntl(2): sets the capacity of a pipe in bytes (linux/fcntl.h). */
const F_SETPIPE_SZ = 1031;

/**
 * A pipe that holds a text, which the program that replaces this process can read to its end.
 *
 * @return The descriptor to read from.
 */
export function pipeHolding(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const { reader, writer } = openPipe();
  // One page more, because a pipe may fill its last page only in part.
  callOrThrow("fcntl", () => libc.fcntl(writer.fd, F_SETPIPE_SZ, bytes.length + 4096));
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(callOrThrow("write", () => writeFrom(writer.fd, rest)));
  }
  writer.close();
  setInheritable(reader.fd, true);
  return reader.fd;
}

/** Makes standard input empty, for this process and the program that replaces it. */
export function inputFromNothing(): void {
  const { close, open } = libc;
  close(0);
  // open(2) takes the lowest free number: 0.
  callOrThrow("open /dev/null", () => open(cString("/dev/null"), 0, 0));
}
