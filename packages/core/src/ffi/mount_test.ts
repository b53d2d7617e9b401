import { assertEquals, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import { SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";
import { unmount } from "./mount.ts";

// The library stays open as long as the process: the first test to need it would be blamed for that.
void libc.close;

Deno.test("unmount() fails where nothing is mounted, and names the path", () => {
  using directory = new TempDirectory();
  // An ordinary user is refused before the path is looked at.
  const cases: [string, string][] = Deno.uid() === 0
    ? [[directory.path, "EINVAL"], [directory.at("none"), "ENOENT"]]
    : [[directory.path, "EPERM"]];
  for (const [path, name] of cases) {
    const { message } = assertThrows(() => unmount(path), SystemCallError);
    assertEquals(message, `umount ${path}: ${name}`);
  }
});
