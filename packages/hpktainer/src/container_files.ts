import {
  type ContainerRecord,
  containerResolver,
  formatHosts,
  formatResolvConf,
  parseResolvConf,
  type ResolverConfig,
  type Settings,
} from "@hpk/core";
import { type Ledger, readFileIfExists, writeFileAtomic } from "@hpk/core/os";

/** Where systemd-resolved keeps the real servers behind its stub (systemd-resolved.service(8)). */
const RESOLVED_UPLINK_CONF = "/run/systemd/resolve/resolv.conf";

/** Paths of the files that are made for a container. */
export interface ContainerFiles {
  /** To be bound over those of the image. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** For the pid of an instance. */
  readonly pidFile: string;
}

/** Writes the files that tell a container of its network. */
export function writeFiles(
  ledger: Ledger,
  record: ContainerRecord,
  hostname: string,
  settings: Settings,
): ContainerFiles {
  const directory = ledger.makeFilesDirectory(record.id);
  const paths = {
    resolvConf: `${directory}/resolv.conf`,
    hosts: `${directory}/hosts`,
    pidFile: `${directory}/pid`,
  };
  const resolver = containerResolver(readHostResolver(), settings.dns);
  const hostsFile = readFileIfExists("/etc/hosts") ?? "";
  writeFileAtomic(paths.resolvConf, formatResolvConf(resolver));
  writeFileAtomic(
    paths.hosts,
    formatHosts(hostsFile, addressesOf(record), [hostname, record.name]),
  );
  return paths;
}

/** A container's addresses, IPv4 first. */
function addressesOf({ address, address6 }: ContainerRecord): string[] {
  return [address, address6].filter((one) => one !== null);
}

/** The host's resolver; behind systemd-resolved's stub, the servers that it asks itself. */
export function readHostResolver(): ResolverConfig {
  const own = parseResolvConf(readFileIfExists("/etc/resolv.conf") ?? "");
  const isStub = own.servers.length > 0 && own.servers.every((server) => server === "127.0.0.53");
  const real = isStub ? readFileIfExists(RESOLVED_UPLINK_CONF) : undefined;
  return real === undefined ? own : parseResolvConf(real);
}
