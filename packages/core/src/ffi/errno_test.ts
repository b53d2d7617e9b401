import { assertEquals, assertThrows } from "@std/assert";
import { callOrThrow, callTwice, EAGAIN, EINTR, ENOENT, SystemCallError } from "./errno.ts";
import { cString, libc } from "./libc.ts";
import { loadLibc } from "../testing/libc.ts";

loadLibc();

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

const EISDIR = 21;
const EBADF = 9;

Deno.test("callTwice() and callOrThrow() report why a call failed", () => {
  const cases: [() => number, number][] = [
    [() => libc.open(cString("/nonexistent"), 0, 0), ENOENT],
    [() => libc.open(cString("/"), 1, 0), EISDIR],
    [() => libc.fcntl(-1, 1, 0), EBADF],
  ];
  for (const [call, errno] of cases) {
    assertEquals(callTwice(call), { result: -1, errno });
    assertEquals(assertThrows(() => callOrThrow("x", call), SystemCallError).errno, errno);
  }
});

Deno.test("callTwice() is not misled by an error number that something else has set once", () => {
  let calls = 0;
  const { result, errno } = callTwice(() => {
    const failed = libc.fcntl(-1, 1, 0);
    // Stands for the runtime, which changes errno between the call and the reading of it.
    if (++calls === 1) libc.open(cString("/nonexistent"), 0, 0);
    return failed;
  });
  assertEquals([result, errno, calls], [-1, EBADF, 3]);
});

Deno.test("callTwice() accepts the success of a second call, and gives up eventually", () => {
  const results = [-1, 7];
  libc.fcntl(-1, 1, 0);
  assertEquals(callTwice(() => results.shift()!), { result: 7, errno: 0 });
  let calls = 0;
  const paths = ["/", "/nonexistent"];
  callTwice(() => libc.open(cString(paths[++calls % 2]!), 1, 0));
  assertEquals(calls, 8);
});

Deno.test("callOrThrow() returns every result but -1", () => {
  for (const result of [0, 1, 7, -2]) assertEquals(callOrThrow("x", () => result), result);
});
