import { assertEquals, assertThrows } from "@std/assert";
import { EAGAIN, EINTR, ENOENT, lastErrno, SystemCallError, unwrap } from "./errno.ts";
import { cString, libc } from "./libc.ts";

// The library stays open as long as the process: the first test to need it would be blamed for that.
libc();

Deno.test("SystemCallError names the call and the error", () => {
  const cases: [number, string][] = [
    [ENOENT, "open /x: ENOENT"],
    [EINTR, "open /x: EINTR"],
    [EAGAIN, "open /x: EAGAIN"],
    [13, "open /x: EACCES"],
    [133, "open /x: error 133"],
    [0, "open /x: error 0"],
  ];
  for (const [errno, message] of cases) {
    const error = new SystemCallError("open /x", errno);
    assertEquals([error.message, error.call, error.errno], [message, "open /x", errno]);
    assertEquals(error.name, "SystemCallError");
  }
});

Deno.test("lastErrno() and unwrap() tell why a call failed", () => {
  const EISDIR = 21;
  const EBADF = 9;
  const cases: [() => number, number][] = [
    [() => libc().open(cString("/nonexistent"), 0, 0), ENOENT],
    [() => libc().open(cString("/"), 1, 0), EISDIR],
    [() => libc().fcntl(-1, 1, 0), EBADF],
  ];
  for (const [call, errno] of cases) {
    assertEquals([call(), lastErrno()], [-1, errno]);
    assertEquals(assertThrows(() => unwrap("x", call()), SystemCallError).errno, errno);
  }
});

Deno.test("unwrap() hands on every result but -1", () => {
  for (const result of [0, 1, 7, -2]) assertEquals(unwrap("x", result), result);
});
