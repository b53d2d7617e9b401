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
  /** To be bound over those of the image. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** For the pid of an instance. */
  readonly pidFile: string;
}

/**
 * Writes the files that tell a container of its network.
 *
 * @param record Its record, as far as that is known; how it learns names is.
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
 * Brings a container's hosts file up to date where it is what names are learned from. It is written in
 * its place, since the container has that file and not its name.
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
