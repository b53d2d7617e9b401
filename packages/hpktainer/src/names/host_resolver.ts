import { parseResolvConf, type ResolverConfig } from "@hpk/core";
import { readFileIfExists } from "@hpk/core/os";

/** The host's own resolver configuration (resolv.conf(5)). */
const RESOLV_CONF = "/etc/resolv.conf";

/** Where systemd-resolved keeps the real servers behind its stub (systemd-resolved.service(8)). */
const RESOLVED_UPLINK_CONF = "/run/systemd/resolve/resolv.conf";

/** systemd-resolved's stub, which only the host itself reaches. */
const RESOLVED_STUB = "127.0.0.53";

/**
 * The file with the host's servers; with systemd-resolved, its upstream servers instead of the
 * stub.
 */
export function hostResolvConf(): string {
  const { servers } = parseResolvConf(readFileIfExists(RESOLV_CONF) ?? "");
  const isStub = servers.length > 0 && servers.every((server) => server === RESOLVED_STUB);
  return isStub && readFileIfExists(RESOLVED_UPLINK_CONF) !== undefined
    ? RESOLVED_UPLINK_CONF
    : RESOLV_CONF;
}

/** The host's resolver; with systemd-resolved, its upstream servers instead of the stub. */
export function readHostResolver(): ResolverConfig {
  return parseResolvConf(readFileIfExists(hostResolvConf()) ?? "");
}
