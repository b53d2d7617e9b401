/**
 * The C library: the only module that opens it. Lengths are u32 and counts i32, because a size_t
 * would be a BigInt; every call here moves less than 2 GiB.
 */

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  accept4: {
    parameters: ["i32", /* fd */ "pointer", /* addr */ "pointer", /* addrlen */ "i32" /* flags */],
    result: "i32",
  },
  access: { parameters: ["buffer", /* path */ "i32" /* mode */], result: "i32" },
  bind: { parameters: ["i32", /* fd */ "buffer", /* addr */ "u32" /* addrlen */], result: "i32" },
  cfmakeraw: { parameters: ["buffer" /* termios */], result: "void" },
  close: { parameters: ["i32" /* fd */], result: "i32" },
  connect: {
    parameters: ["i32", /* fd */ "buffer", /* addr */ "u32" /* addrlen */],
    result: "i32",
  },
  epoll_create1: { parameters: ["i32" /* flags */], result: "i32" },
  eventfd: { parameters: ["u32", /* initval */ "i32" /* flags */], result: "i32" },
  execv: { parameters: ["buffer", /* path */ "buffer" /* argv */], result: "i32" },
  fcntl: { parameters: ["i32", /* fd */ "i32", /* cmd */ "i32" /* arg */], result: "i32" },
  flock: { parameters: ["i32", /* fd */ "i32" /* operation */], result: "i32" },
  getsockopt: {
    parameters: ["i32", /* fd */ "i32", /* level */ "i32", "buffer", /* value */ "buffer"],
    result: "i32",
  },
  inotify_add_watch: {
    parameters: ["i32", /* fd */ "buffer", /* path */ "u32" /* mask */],
    result: "i32",
  },
  inotify_init1: { parameters: ["i32" /* flags */], result: "i32" },
  ioctl: { parameters: ["i32", /* fd */ "u32", /* request */ "buffer" /* arg */], result: "i32" },
  ioctlValue: {
    name: "ioctl",
    parameters: ["i32", /* fd */ "u32", /* request */ "u32" /* arg */],
    result: "i32",
  },
  listen: { parameters: ["i32", /* fd */ "i32" /* backlog */], result: "i32" },
  mount: {
    parameters: [
      "buffer", /* source */
      "buffer", /* target */
      "buffer", /* file system */
      "u32", /* flags */
      "buffer", /* data */
    ],
    result: "i32",
  },
  open: {
    parameters: ["buffer", /* path */ "i32", /* flags */ "u32" /* mode */],
    result: "i32",
  },
  pipe2: { parameters: ["buffer", /* fds */ "i32" /* flags */], result: "i32" },
  poll: {
    parameters: ["buffer", /* fds */ "u32", /* nfds */ "i32" /* timeout in ms */],
    result: "i32",
  },
  pollAside: {
    name: "poll",
    parameters: ["buffer", /* fds */ "u32", /* nfds */ "i32" /* timeout in ms */],
    result: "i32",
    nonblocking: true,
  },
  read: { parameters: ["i32", /* fd */ "buffer", /* buf */ "u32" /* count */], result: "i32" },
  recv: {
    parameters: ["i32", /* fd */ "buffer", /* buf */ "u32", /* len */ "i32" /* flags */],
    result: "i32",
  },
  recvmsg: { parameters: ["i32", /* fd */ "buffer", /* msg */ "i32" /* flags */], result: "i32" },
  send: {
    parameters: ["i32", /* fd */ "buffer", /* buf */ "u32", /* len */ "i32" /* flags */],
    result: "i32",
  },
  setns: { parameters: ["i32", /* fd */ "i32" /* nstype */], result: "i32" },
  setpriority: {
    parameters: ["i32", /* which */ "u32", /* who */ "i32" /* priority */],
    result: "i32",
  },
  setsockopt: {
    parameters: ["i32", /* fd */ "i32", /* level */ "i32", "buffer", /* value */ "u32"],
    result: "i32",
  },
  shutdown: { parameters: ["i32", /* fd */ "i32" /* how */], result: "i32" },
  signal: { parameters: ["i32", /* signum */ "pointer" /* handler */], result: "pointer" },
  socket: {
    parameters: ["i32", /* domain */ "i32", /* type */ "i32" /* protocol */],
    result: "i32",
  },
  socketpair: {
    parameters: ["i32", /* domain */ "i32", /* type */ "i32", /* protocol */ "buffer" /* fds */],
    result: "i32",
  },
  syncfs: { parameters: ["i32" /* fd */], result: "i32" },
  syscall2: {
    name: "syscall",
    parameters: ["i32", /* number */ "i32", "u32"],
    result: "i32",
  },
  tcgetattr: { parameters: ["i32", /* fd */ "buffer" /* termios */], result: "i32" },
  tcsetattr: {
    parameters: ["i32", /* fd */ "i32", /* actions */ "buffer" /* termios */],
    result: "i32",
  },
  umount2: { parameters: ["buffer", /* target */ "i32" /* flags */], result: "i32" },
  unshare: { parameters: ["i32" /* flags */], result: "i32" },
  write: { parameters: ["i32", /* fd */ "buffer", /* buf */ "u32" /* count */], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The calls that the relay makes for every batch of frames. */
const FRAME_SYMBOLS = {
  epoll_ctl: {
    parameters: ["i32", /* epfd */ "i32", /* op */ "i32", /* fd */ "buffer" /* event */],
    result: "i32",
  },
  epoll_wait: {
    parameters: ["i32", /* epfd */ "buffer", /* events */ "i32", /* maxevents */ "i32" /* ms */],
    result: "i32",
  },
  readv: { parameters: ["i32", /* fd */ "buffer", /* iov */ "i32" /* iovcnt */], result: "i32" },
  write: SYMBOLS.write,
  writev: { parameters: ["i32", /* fd */ "buffer", /* iov */ "i32" /* iovcnt */], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBRARY = "libc.so.6";

/** The functions of a table as JavaScript calls them. */
type Functions<S extends Deno.ForeignLibraryInterface> = Deno.StaticForeignLibraryInterface<S>;

/**
 * The functions of the C library, each looked up by dlsym(3) when it is first used. The runtime
 * compiles code for each function that it looks up itself, which costs more than the few calls that
 * most programs make; a function that is called by its address costs a little more per call.
 */
export const libc: Functions<typeof SYMBOLS> = new Proxy<Record<string, unknown>>({}, {
  get: (known, key) => known[String(key)] ??= lookUp(String(key)),
}) as Functions<typeof SYMBOLS>;

function lookUp(key: string): unknown {
  const definition: Deno.ForeignFunction = SYMBOLS[key as keyof typeof SYMBOLS];
  const address = dlsym()(null, cString(definition.name ?? key));
  if (address === null) throw new Error(`the C library has no ${definition.name ?? key}`);
  const pointer = new Deno.UnsafeFnPointer(address as Deno.PointerObject<never>, definition);
  return pointer.call.bind(pointer);
}

const DLSYM = {
  dlsym: { parameters: ["pointer", /* RTLD_DEFAULT */ "buffer" /* name */], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

let knownDlsym: Functions<typeof DLSYM>["dlsym"] | undefined;

function dlsym(): Functions<typeof DLSYM>["dlsym"] {
  return knownDlsym ??= openFirst([LIBRARY, OLD_LIBRARY]);
}

/** The library that has dlsym(3) before glibc 2.34. */
const OLD_LIBRARY = "libdl.so.2";

function openFirst([library, ...others]: readonly string[]): Functions<typeof DLSYM>["dlsym"] {
  try {
    return Deno.dlopen(library!, DLSYM).symbols.dlsym;
  } catch (error) {
    if (others.length === 0) throw error;
    return openFirst(others);
  }
}

let compiled: Deno.DynamicLibrary<typeof FRAME_SYMBOLS> | undefined;

/** The functions for frames, which are called so often that compiled code pays off. */
export function frameLibc(): Functions<typeof FRAME_SYMBOLS> {
  compiled ??= Deno.dlopen(LIBRARY, FRAME_SYMBOLS);
  return compiled.symbols;
}

const encoder = new TextEncoder();

/** A C string: UTF-8 with a terminating zero. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
