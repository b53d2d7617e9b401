import { assertEquals, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import {
  exists,
  isFile,
  listDirectory,
  makeDirectory,
  readFileIfExists,
  removeIfEmpty,
  removeIfExists,
  writeFileAtomic,
  writeFully,
} from "./files.ts";

Deno.test("writeFileAtomic() replaces a file, with the new mode, and leaves nothing else", () => {
  using directory = new TempDirectory();
  const path = directory.write("file", "old");
  using before = Deno.openSync(path);
  const umask = Deno.umask(0o077);
  try {
    writeFileAtomic(path, "new ü", 0o644);
  } finally {
    Deno.umask(umask);
  }
  assertEquals(Deno.readTextFileSync(path), "new ü");
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o644);
  const buffer = new Uint8Array(8);
  const read = before.readSync(buffer) ?? 0;
  assertEquals(
    new TextDecoder().decode(buffer.slice(0, read)),
    "old",
    "a reader keeps the old one",
  );
  assertEquals(listDirectory(directory.path), ["file"]);
});

Deno.test("writeFileAtomic() replaces a symbolic link, not what it points to", () => {
  using directory = new TempDirectory();
  const target = directory.write("target", "untouched");
  Deno.symlinkSync(target, directory.at("link"));
  writeFileAtomic(directory.at("link"), "new");
  assertEquals(Deno.readTextFileSync(target), "untouched");
  assertEquals(Deno.lstatSync(directory.at("link")).isFile, true);
});

Deno.test("writeFileAtomic() fails if the directory does not exist", () => {
  using directory = new TempDirectory();
  assertThrows(() => writeFileAtomic(directory.at("none/file"), "x"), Deno.errors.NotFound);
  assertEquals(listDirectory(directory.path), []);
});

Deno.test("writeFileAtomic() leaves nothing of a file that it cannot put in place", () => {
  using directory = new TempDirectory();
  Deno.mkdirSync(directory.at("taken"));
  assertThrows(() => writeFileAtomic(directory.at("taken"), "x"));
  assertEquals(listDirectory(directory.path), ["taken"]);
});

Deno.test("writeFully() fails on a full disk", () => {
  using full = Deno.openSync("/dev/full", { write: true });
  assertThrows(() => writeFully(full, new Uint8Array(1)), Error, "os error 28");
});

Deno.test("writeFully() goes on after a short write", () => {
  const written: number[] = [];
  const file = {
    writeSync(bytes: Uint8Array): number {
      written.push(...bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  };
  writeFully(file, new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
  assertEquals(written, [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("exists() and isFile() do not follow links", () => {
  using directory = new TempDirectory();
  directory.write("file", "");
  Deno.symlinkSync("/nowhere", directory.at("link"));
  const cases: [name: string, exists: boolean, isFile: boolean][] = [
    ["file", true, true],
    ["link", true, false],
    [".", true, false],
    ["none", false, false],
    ["file/below", false, false],
  ];
  for (const [name, there, file] of cases) {
    assertEquals([exists(directory.at(name)), isFile(directory.at(name))], [there, file], name);
  }
});

Deno.test("readFileIfExists() distinguishes an absent file from an unreadable one", () => {
  using directory = new TempDirectory();
  assertEquals(readFileIfExists(directory.write("a", "text")), "text");
  assertEquals(readFileIfExists(directory.write("empty", "")), "");
  assertEquals(readFileIfExists(directory.at("none")), undefined);
  assertThrows(() => readFileIfExists(directory.path));
});

Deno.test("removeIfExists() removes a file, a tree, a link but not its target", () => {
  using directory = new TempDirectory();
  const kept = directory.write("kept", "");
  Deno.mkdirSync(directory.at("tree/deep"), { recursive: true });
  Deno.symlinkSync(directory.path, directory.at("tree/deep/up"));
  Deno.symlinkSync(kept, directory.at("link"));
  for (const name of ["tree", "link", "none"]) removeIfExists(directory.at(name));
  assertEquals(listDirectory(directory.path), ["kept"]);
});

Deno.test("removeIfEmpty() removes a directory only if it is empty", () => {
  using directory = new TempDirectory();
  for (const name of ["empty", "full"]) Deno.mkdirSync(directory.at(name));
  directory.write("full/file", "");
  for (const name of ["empty", "full", "none"]) removeIfEmpty(directory.at(name));
  assertEquals(listDirectory(directory.path), ["full"]);
});

Deno.test("listDirectory() is sorted, and undefined if it does not exist", () => {
  using directory = new TempDirectory();
  for (const name of ["b", "a", ".c"]) directory.write(name, "");
  assertEquals(listDirectory(directory.path), [".c", "a", "b"]);
  assertEquals(listDirectory(directory.at("none")), undefined);
  assertThrows(() => listDirectory(directory.at("a")));
});

Deno.test("makeDirectory() makes directories that anyone may read, regardless of the umask", () => {
  using directory = new TempDirectory();
  const root = directory.at("state");
  const umask = Deno.umask(0o077);
  try {
    makeDirectory(root, `${root}/files/0`);
    makeDirectory(root, `${root}/files/0`);
  } finally {
    Deno.umask(umask);
  }
  for (const path of [root, `${root}/files`, `${root}/files/0`]) {
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o755, path);
  }
});
