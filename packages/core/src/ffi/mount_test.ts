import { assertEquals, assertThrows } from "@std/assert";
import { TempDirectory } from "../testing/temp_directory.ts";
import { SystemCallError } from "./errno.ts";
import { loadLibc } from "../testing/libc.ts";
import { unmount } from "./mount.ts";

loadLibc();

Deno.test("unmount() says whether something was mounted, and names the path if it fails", () => {
  using directory = new TempDirectory();
  const none = directory.at("none");
  // An ordinary user is refused before the path is checked.
  if (Deno.uid() === 0) assertEquals(unmount(directory.path), false);
  const { message } = assertThrows(() => unmount(none), SystemCallError);
  assertEquals(message, `umount ${none}: ${Deno.uid() === 0 ? "ENOENT" : "EPERM"}`);
});
