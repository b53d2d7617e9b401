import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import { SystemCallError } from "./errno.ts";
import type { FileDescriptor } from "./fd.ts";
import { loadLibc } from "../testing/libc.ts";
import { drain, openProcess, readChanges, waitReadable, watchDirectory } from "./process_watch.ts";

loadLibc();

/** Long enough for any expected event; a test that waits this long fails. */
const LONG_MS = 10_000;
const SHORT_MS = 50;

/** Waits for any of the descriptors; returns for how long, in ms. */
function wait(files: readonly FileDescriptor[], timeoutMs: number): number {
  const start = performance.now();
  waitReadable(files.map(({ fd }) => fd), timeoutMs);
  return performance.now() - start;
}

Deno.test("openProcess() is readable when the process ends, not before", async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  using watch = openProcess(child.pid)!;
  assertGreaterOrEqual(wait([watch], SHORT_MS), SHORT_MS - 1);
  child.kill("SIGKILL");
  assertLess(wait([watch], LONG_MS), LONG_MS / 2);
  await child.status;
  assertEquals(openProcess(child.pid), undefined);
});

Deno.test("openProcess() is undefined for an impossible pid", () => {
  for (const pid of [0, -1, 2 ** 31 - 1]) assertEquals(openProcess(pid), undefined);
});

Deno.test("watchDirectory() sees files that are renamed into it or removed, and no others", () => {
  using directory = new TempDirectory();
  using other = new TempDirectory();
  directory.write("old", "");
  using watch = watchDirectory(directory.path);
  const sees = (change: () => void): boolean => {
    change();
    const seen = wait([watch], SHORT_MS) < SHORT_MS - 1;
    drain(watch);
    return seen;
  };
  assert(!sees(() => {}));
  assert(!sees(() => Deno.writeTextFileSync(directory.at("old"), "changed")));
  assert(!sees(() => directory.write("new.tmp", "")));
  assert(sees(() => Deno.renameSync(directory.at("new.tmp"), directory.at("new"))));
  assert(!sees(() => {}), "drained");
  assert(sees(() => Deno.removeSync(directory.at("old"))));
  assert(!sees(() => other.write("elsewhere", "")));
});

Deno.test("readChanges() names the changed files, and drains the watch", () => {
  using directory = new TempDirectory();
  using watch = watchDirectory(directory.path);
  assertEquals(readChanges(watch), []);
  const names = Array.from({ length: 3000 }, (_, index) => `${index}.json`);
  for (const name of names) {
    directory.write("new.tmp", "");
    Deno.renameSync(directory.at("new.tmp"), directory.at(name));
  }
  assertEquals(readChanges(watch), names);
  assertEquals(readChanges(watch), []);
  Deno.removeSync(directory.at("7.json"));
  assertEquals(readChanges(watch), ["7.json"]);
});

Deno.test("waitReadable() returns the readable ones", () => {
  using directory = new TempDirectory();
  using other = new TempDirectory();
  using quiet = watchDirectory(other.path);
  using watch = watchDirectory(directory.path);
  assertEquals(waitReadable([quiet.fd, watch.fd], 0), []);
  directory.write("old", "");
  Deno.renameSync(directory.at("old"), directory.at("new"));
  assertEquals(waitReadable([quiet.fd, watch.fd], LONG_MS), [watch.fd]);
});

Deno.test("drain() drains more than one buffer", () => {
  using directory = new TempDirectory();
  for (let index = 0; index < 400; index++) directory.write(`a-file-of-a-long-name-${index}`, "");
  using watch = watchDirectory(directory.path);
  for (let index = 0; index < 400; index++) {
    Deno.removeSync(directory.at(`a-file-of-a-long-name-${index}`));
  }
  drain(watch);
  assertGreaterOrEqual(wait([watch], SHORT_MS), SHORT_MS - 1);
});

Deno.test("watchDirectory() fails if the directory does not exist, and leaves nothing open", () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = count();
  for (let round = 0; round < 5; round++) {
    const error = assertThrows(() => watchDirectory("/nonexistent"), SystemCallError);
    assertEquals(error.message, "inotify_add_watch /nonexistent: ENOENT");
  }
  assertEquals(count(), before);
});

Deno.test("waitReadable() waits for any of several", async () => {
  using directory = new TempDirectory();
  using watch = watchDirectory(directory.path);
  const child = new Deno.Command("sleep", { args: ["0.1"] }).spawn();
  using process = openProcess(child.pid)!;
  assertLess(wait([watch, process], LONG_MS), LONG_MS / 2);
  await child.status;
});
