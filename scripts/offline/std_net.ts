/** Offline stand-in for the part of `@std/net` that this project uses. */

/**
 * A TCP port on which nothing listens. It is only free at the moment of asking: another process can
 * take it before the caller does.
 */
export function getAvailablePort(): number {
  using listener = Deno.listen({ port: 0 });
  return listener.addr.port;
}
