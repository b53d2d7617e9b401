import { assert, assertEquals, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import {
  FileDescriptor,
  isInheritable,
  lockExclusive,
  lockShared,
  openLockFile,
  setInheritable,
  syncFileSystem,
  tryLockExclusive,
} from "./fd.ts";
import { ENOENT, SystemCallError } from "./errno.ts";
import { loadLibc } from "../testing/libc.ts";

loadLibc();

/** Whether a program that is started now inherits that file under this descriptor number. */
function isInherited(fd: number, path: string): boolean {
  const { stdout } = new Deno.Command("readlink", { args: [`/proc/self/fd/${fd}`] }).outputSync();
  return new TextDecoder().decode(stdout).trim() === path;
}

Deno.test("openLockFile() creates a file that only its owner may read, and keeps existing contents", () => {
  using directory = new TempDirectory();
  const path = directory.at("lock");
  openLockFile(path).close();
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  Deno.writeTextFileSync(path, "kept");
  openLockFile(path).close();
  assertEquals(Deno.readTextFileSync(path), "kept");
});

Deno.test("openLockFile() fails if the directory does not exist", () => {
  const error = assertThrows(() => openLockFile("/nonexistent/lock"), SystemCallError);
  assertEquals([error.errno, error.message], [ENOENT, "open /nonexistent/lock: ENOENT"]);
});

Deno.test("a lock excludes every other opening of the file until it is closed", () => {
  using directory = new TempDirectory();
  const path = directory.at("lock");
  const first = openLockFile(path);
  using second = openLockFile(path);
  assert(tryLockExclusive(first));
  assert(tryLockExclusive(first), "one's own lock does not block");
  assert(!tryLockExclusive(second));
  first.close();
  assert(tryLockExclusive(second));
});

Deno.test("a shared lock allows other shared locks, but no exclusive one", () => {
  using directory = new TempDirectory();
  const path = directory.at("lock");
  const first = openLockFile(path);
  using second = openLockFile(path);
  using third = openLockFile(path);
  lockShared(first);
  lockShared(second);
  assert(!tryLockExclusive(third));
  first.close();
  assert(!tryLockExclusive(third));
  second.close();
  assert(tryLockExclusive(third));
});

/** Holds a lock until someone else waits for the file's (proc_locks(5)). */
const HOLD = `echo held
inode=$(stat -c %i "$0")
until grep -q -e "-> FLOCK .*:$inode " /proc/locks; do :; done`;

Deno.test("lockExclusive() waits for another process to release the lock", async () => {
  using directory = new TempDirectory();
  const path = directory.write("lock", "");
  const holder = new Deno.Command("flock", {
    args: [path, "sh", "-c", HOLD, path],
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  using file = openLockFile(path);
  assert(!tryLockExclusive(file));
  lockExclusive(file);
  assert(tryLockExclusive(file));
  assertEquals((await holder.status).code, 0);
  await reader.cancel();
});

Deno.test("locking a closed file fails", () => {
  using directory = new TempDirectory();
  const file = openLockFile(directory.at("lock"));
  file.close();
  assertThrows(() => lockExclusive(file), SystemCallError, "flock: ");
  assertThrows(() => tryLockExclusive(file), SystemCallError, "flock: ");
});

Deno.test("syncFileSystem() needs an open file", () => {
  using directory = new TempDirectory();
  const file = openLockFile(directory.at("lock"));
  syncFileSystem(file);
  file.close();
  assertThrows(() => syncFileSystem(file), SystemCallError, "syncfs: ");
});

Deno.test("programs inherit a descriptor only when it is set so", () => {
  using directory = new TempDirectory();
  const path = Deno.realPathSync(directory.write("lock", ""));
  using file = openLockFile(path);
  for (const inheritable of [false, true, false]) {
    setInheritable(file.fd, inheritable);
    assertEquals([isInheritable(file.fd), isInherited(file.fd, path)], [inheritable, inheritable]);
  }
});

Deno.test("a new lock file is not inherited, and neither is a closed descriptor", () => {
  using directory = new TempDirectory();
  const file = openLockFile(directory.at("lock"));
  assert(!isInheritable(file.fd));
  file.close();
  assert(!isInheritable(file.fd));
  assertThrows(() => setInheritable(file.fd, true), SystemCallError, "fcntl: ");
});

Deno.test("a second close() does not close a later file with the same number", () => {
  using directory = new TempDirectory();
  const path = directory.at("lock");
  const first: FileDescriptor = openLockFile(path);
  first.close();
  using second = openLockFile(path);
  assertEquals(second.fd, first.fd, "the lowest free number is used again");
  first.close();
  assert(tryLockExclusive(second));
});
