/**
 * Calls of the C library that Deno has no API for. Nothing else opens a library.
 *
 * @module
 */
export * from "./epoll.ts";
export * from "./errno.ts";
export * from "./ethtool.ts";
export * from "./event_fd.ts";
export * from "./exec.ts";
export * from "./fd.ts";
export * from "./io_vector.ts";
export * from "./mount.ts";
export * from "./net_namespace.ts";
export * from "./process_watch.ts";
export * from "./tap.ts";
export * from "./unix_socket.ts";
