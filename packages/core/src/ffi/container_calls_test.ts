import { unixSocketPair } from "../testing/descriptors.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemCallError } from "./errno.ts";
import { startInMountNamespace } from "./mount_namespace.ts";
import { openPipe, pipeHolding } from "./pipe.ts";
import { RawTerminal } from "./terminal.ts";
import { readSome, waitReadableAside, waitWritableAside } from "./wait_aside.ts";
import { FileDescriptor } from "./fd.ts";
import { shutdownWriting, writeFrom } from "./unix_socket.ts";
import { frameLibc, libc } from "./libc.ts";
import { watchFile } from "./process_watch.ts";

// Loaded before the tests, since a test must not leave a library open that it has opened.
void libc.close;
frameLibc();

Deno.test("a wait on another thread leaves this one free, and returns the readable ones", async () => {
  const { reader, writer } = openPipe();
  using _reader = reader;
  assertEquals(await waitReadableAside([reader.fd], 0), []);
  const waiting = waitReadableAside([reader.fd]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  writeFrom(writer.fd, Uint8Array.of(7));
  assertEquals(await waiting, [reader.fd]);
  const buffer = new Uint8Array(8);
  assertEquals(readSome(reader.fd, buffer), 1);
  writer.close();
  assertEquals(await waitReadableAside([reader.fd]), [reader.fd]);
  assertEquals(readSome(reader.fd, buffer), 0);
});

Deno.test("a socket whose peer is gone is not writable", async () => {
  const [one, other] = unixSocketPair();
  using _one = one;
  assertEquals(await waitWritableAside(one.fd), true);
  assertEquals(readSome(one.fd, new Uint8Array(1)), undefined);
  shutdownWriting(other.fd);
  assertEquals(readSome(one.fd, new Uint8Array(1)), 0);
  other.close();
  assertEquals(await waitWritableAside(one.fd), false);
});

Deno.test("a pipe holds a text larger than its default capacity", () => {
  const text = "x".repeat(300_000);
  using reader = new FileDescriptor(pipeHolding(text));
  assertEquals(Deno.readTextFileSync(`/proc/self/fd/${reader.fd}`), text);
});

Deno.test("a file that is written to makes its watch readable", async () => {
  const path = Deno.makeTempFileSync();
  try {
    using watch = watchFile(path);
    assertEquals(await waitReadableAside([watch.fd], 0), []);
    Deno.writeTextFileSync(path, "x", { append: true });
    assertEquals(await waitReadableAside([watch.fd]), [watch.fd]);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("only a terminal can be put in raw mode", () => {
  const { reader, writer } = openPipe();
  using _reader = reader;
  using _writer = writer;
  assertThrows(() => new RawTerminal(reader.fd), SystemCallError);
});

const isRoot = Deno.uid() === 0;

Deno.test({
  name: "a program is started in a mount namespace with an overlay that the host does not see",
  ignore: !isRoot,
  fn: async () => {
    // An overlay's upper directory cannot be on another overlay.
    const root = Deno.makeTempDirSync({ dir: "/dev/shm" });
    try {
      for (const name of ["lower", "upper", "work", "root"]) Deno.mkdirSync(`${root}/${name}`);
      Deno.writeTextFileSync(`${root}/lower/file`, "below");
      const options = `lowerdir=${root}/lower,upperdir=${root}/upper,workdir=${root}/work`;
      const outside = Deno.readLinkSync("/proc/thread-self/ns/mnt");
      const child = startInMountNamespace(
        { target: `${root}/root`, options, devices: true },
        [],
        () =>
          new Deno.Command("sh", {
            args: ["-c", `cat '${root}/root/file'; echo > '${root}/root/new'`],
            stdout: "piped",
          }).spawn(),
      );
      const { stdout } = await child.output();
      assertEquals(new TextDecoder().decode(stdout), "below");
      assertEquals(Deno.readLinkSync("/proc/thread-self/ns/mnt"), outside);
      assertEquals([...Deno.readDirSync(`${root}/root`)], []);
      assert(Deno.statSync(`${root}/upper/new`).isFile);
      const wrong = { target: `${root}/root`, options: "lowerdir=/nosuch", devices: true };
      assertThrows(() => startInMountNamespace(wrong, [], () => {}), SystemCallError);
      assertEquals(Deno.readLinkSync("/proc/thread-self/ns/mnt"), outside);
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  },
});
