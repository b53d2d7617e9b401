import { assert, assertEquals, assertThrows } from "@std/assert";
import { setInheritable } from "../ffi/fd.ts";
import { loadLibc } from "../testing/libc.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import {
  appendLine,
  type BoundedLog,
  emptyIfLong,
  olderPart,
  openBoundedLog,
} from "./bounded_log.ts";
import { readFileIfExists } from "./files.ts";

loadLibc("open", "close", "write", "flock", "fcntl", "__errno_location");

const logIn = (directory: TempDirectory, change: Partial<BoundedLog> = {}): BoundedLog => ({
  directory: directory.at("logs"),
  name: "log",
  mode: 0o640,
  limit: 100,
  ...change,
});
const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;

Deno.test("appendLine() makes the directory and the file with their modes, whatever the umask", () => {
  using directory = new TempDirectory();
  const log = logIn(directory);
  const before = Deno.umask(0o077);
  try {
    appendLine(log, "a\n");
    appendLine(log, "b\n");
  } finally {
    Deno.umask(before);
  }
  assertEquals(Deno.readTextFileSync(`${log.directory}/log`), "a\nb\n");
  assertEquals([modeOf(log.directory), modeOf(`${log.directory}/log`)], [0o755, 0o640]);
});

Deno.test("appendLine() keeps two parts of bounded size", () => {
  using directory = new TempDirectory();
  const log = logIn(directory);
  const line = (index: number) => `${String(index).padStart(9, "0")}\n`;
  for (let index = 0; index < 200; index++) {
    appendLine(log, line(index));
    for (const path of [`${log.directory}/log`, olderPart(log)]) {
      assert((readFileIfExists(path) ?? "").length <= log.limit + 10);
    }
  }
  const kept = readFileIfExists(olderPart(log))! + (readFileIfExists(`${log.directory}/log`) ?? "");
  assert(kept.endsWith(line(199)) && kept.length > log.limit, kept);
  assertEquals([...Deno.readDirSync(log.directory)].length <= 2, true);
});

Deno.test("appendLine() writes to no directory that others can change, and follows no link", () => {
  using directory = new TempDirectory();
  const target = directory.write("target", "");
  Deno.mkdirSync(directory.at("open"));
  Deno.chmodSync(directory.at("open"), 0o777);
  Deno.symlinkSync(directory.at("open"), directory.at("link"));
  Deno.mkdirSync(directory.at("file"));
  Deno.symlinkSync(target, directory.at("file/log"));
  for (const name of ["open", "link", "file"]) {
    const log = logIn(directory, { directory: directory.at(name) });
    assertThrows(() => appendLine(log, "a\n"), Error);
  }
  assertEquals(Deno.readTextFileSync(target), "");
  assertEquals([...Deno.readDirSync(directory.at("open"))], []);
});

Deno.test("appendLine() says that it cannot where the disk is full", () => {
  using directory = new TempDirectory();
  Deno.mkdirSync(directory.at("logs"));
  // A file that cannot be made, as root is not kept from anything else here.
  Deno.mkdirSync(directory.at("logs/log"));
  assertThrows(() => appendLine(logIn(directory), "a\n"), Error, "open");
});

Deno.test("emptyIfLong() keeps the bound of a file that others have open", () => {
  using directory = new TempDirectory();
  const log = logIn(directory);
  using file = openBoundedLog(log);
  setInheritable(file.fd, false);
  const write = (text: string) =>
    Deno.writeTextFileSync(`/proc/self/fd/${file.fd}`, text, { append: true });
  write("a".repeat(100));
  emptyIfLong(log, file.fd);
  assertEquals(readFileIfExists(olderPart(log)), undefined);
  write("b");
  emptyIfLong(log, file.fd);
  write("c");
  assertEquals(readFileIfExists(olderPart(log)), `${"a".repeat(100)}b`);
  assertEquals(Deno.readTextFileSync(`${log.directory}/log`), "c");
});
