/**
 * The C library: the one place that opens it. Lengths are u32 and counts i32 where a size_t would be
 * a BigInt; every call here moves less than 2 GiB.
 */

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  close: { parameters: ["i32" /* fd */], result: "i32" },
  execv: { parameters: ["buffer", /* path */ "buffer" /* argv */], result: "i32" },
  fcntl: { parameters: ["i32", /* fd */ "i32", /* cmd */ "i32" /* arg */], result: "i32" },
  flock: { parameters: ["i32", /* fd */ "i32" /* operation */], result: "i32" },
  inotify_add_watch: {
    parameters: ["i32", /* fd */ "buffer", /* path */ "u32" /* mask */],
    result: "i32",
  },
  inotify_init1: { parameters: ["i32" /* flags */], result: "i32" },
  open: {
    parameters: ["buffer", /* path */ "i32", /* flags */ "u32" /* mode */],
    result: "i32",
  },
  poll: {
    parameters: ["buffer", /* fds */ "u32", /* nfds */ "i32" /* timeout in ms */],
    result: "i32",
  },
  read: { parameters: ["i32", /* fd */ "buffer", /* buf */ "u32" /* count */], result: "i32" },
  setpriority: {
    parameters: ["i32", /* which */ "u32", /* who */ "i32" /* prio */],
    result: "i32",
  },
  signal: { parameters: ["i32", /* signum */ "pointer" /* handler */], result: "pointer" },
  syscall2: {
    name: "syscall",
    parameters: ["i32", /* number */ "i32", "u32"],
    result: "i32",
  },
  umount2: { parameters: ["buffer", /* target */ "i32" /* flags */], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

let opened: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/**
 * The functions of the C library. It is opened at the first call, so that commands that need none
 * of it do not pay for it.
 */
export function libc(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  opened ??= Deno.dlopen("libc.so.6", SYMBOLS);
  return opened.symbols;
}

const encoder = new TextEncoder();

/** A string as C wants it: UTF-8 with a terminating zero. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
