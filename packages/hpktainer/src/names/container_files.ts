import {
  type ContainerRecord,
  containerResolver,
  formatHosts,
  formatResolvConf,
  namedResolver,
  replaceHostsEntries,
  type Settings,
} from "@hpk/core";
import { type Ledger, readFileIfExists, writeFileAtomic } from "@hpk/core/os";
import { addressesOf, hostsEntries } from "./host_names.ts";
import { readHostResolver } from "./host_resolver.ts";

/** Paths of the files that are made for a container. */
export interface ContainerFiles {
  /** Mounted over those of the image. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** For the pid of an instance. */
  readonly pidFile: string;
}

/**
 * Writes a container's hosts and resolv.conf.
 *
 * @param record Its record, as far as known; how it resolves names is.
 */
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
  const host = readHostResolver();
  const resolver = record.names === "server"
    ? namedResolver(host, record.gateway)
    : containerResolver(host, settings.dns);
  const hostsFile = readFileIfExists("/etc/hosts") ?? "";
  const others = record.names === "hosts" ? hostsEntries(ledger.list(), record.id) : [];
  writeFileAtomic(paths.resolvConf, formatResolvConf(resolver));
  writeFileAtomic(
    paths.hosts,
    formatHosts(hostsFile, addressesOf(record), [hostname, record.name], others),
  );
  return paths;
}

/**
 * Updates a container's hosts file where it resolves names by that. The file is overwritten in
 * place, since it is bind-mounted in the container.
 */
export function refreshHosts(
  ledger: Ledger,
  record: ContainerRecord,
  records: readonly ContainerRecord[],
): void {
  const path = `${ledger.filesDirectory(record.id)}/hosts`;
  const text = readFileIfExists(path);
  if (text === undefined) return;
  const wanted = replaceHostsEntries(text, hostsEntries(records, record.id));
  if (wanted !== text) Deno.writeTextFileSync(path, wanted, { create: false });
}
