/** Offline stand-in for the part of `@std/net` that this project uses. */

/** Where to look for a free port. */
export interface GetAvailablePortOptions {
  /** Taken when it is free. Default 0: the kernel chooses. */
  preferredPort?: number;
}

/**
 * A TCP port on which nothing listens. It is only free at the moment of asking: another process can
 * take it before the caller does.
 * @throws {Error} when the kernel refuses a listener for any reason but a port in use
 */
export function getAvailablePort(options: GetAvailablePortOptions = {}): number {
  try {
    return listenOnce(options.preferredPort ?? 0);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return listenOnce(0);
  }
}

function listenOnce(port: number): number {
  using listener = Deno.listen({ port });
  return listener.addr.port;
}
