/**
 * Calls of the C library that Deno has no API for. No other module opens a library.
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
export * from "./mount_namespace.ts";
export * from "./net_namespace.ts";
export * from "./netlink_socket.ts";
export * from "./pipe.ts";
export * from "./priority.ts";
export * from "./process_watch.ts";
export * from "./receive_descriptor.ts";
export * from "./tap.ts";
export * from "./terminal.ts";
export * from "./unix_socket.ts";
export * from "./wait_aside.ts";
