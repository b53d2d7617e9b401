import { assertEquals, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import { SystemCallError } from "./errno.ts";
import { loadLibc } from "../testing/libc.ts";
import { unmount } from "./mount.ts";

loadLibc();

Deno.test("unmount() fails if nothing is mounted, and names the path", () => {
  using directory = new TempDirectory();
  // An ordinary user is refused before the path is checked.
  const cases: [string, string][] = Deno.uid() === 0
    ? [[directory.path, "EINVAL"], [directory.at("none"), "ENOENT"]]
    : [[directory.path, "EPERM"]];
  for (const [path, name] of cases) {
    const { message } = assertThrows(() => unmount(path), SystemCallError);
    assertEquals(message, `umount ${path}: ${name}`);
  }
});
