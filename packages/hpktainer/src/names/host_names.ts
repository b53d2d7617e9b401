/**
 * Names of containers on this host: one name server for all on the gateway address or, without one,
 * entries in each container's hosts file.
 */

import {
  type ContainerRecord,
  formatNameEntry,
  type HostRecord,
  messageOf,
  namesOfContainer,
  type Settings,
} from "@hpk/core";
import { ensureNameServer, nameServerPid, stopNameServer } from "./name_server.ts";
import { findProgram, type Ledger, OPTIONAL_PROGRAMS } from "@hpk/core/os";
import { hostResolvConf } from "./host_resolver.ts";

/** Whether a container uses our name server: not if the user chooses DNS servers. */
export function wantsNameServer(settings: Settings): boolean {
  return settings.names && settings.dns.length === 0 &&
    findProgram(OPTIONAL_PROGRAMS.dnsmasq) !== undefined;
}

/**
 * Ensures that the host's name server runs as the ledger requires. Call it with a container in the
 * ledger, so that it is stopped with the last one.
 *
 * @return Its process id, or the reason why it does not run, as a clause.
 */
export async function serveNames(ledger: Ledger): Promise<number | string> {
  try {
    const networks = ledger.readHost()?.networks ?? [];
    const addresses = networks.flatMap(({ nameServer }) => nameServer ?? []);
    if (addresses.length === 0) return "no container uses it";
    ledger.makeNamesDirectory();
    return await ensureNameServer(addresses, ledger.nameServerPaths(hostResolvConf()));
  } catch (error) {
    return messageOf(error);
  }
}

/** The process id of the host's name server; undefined where it does not run. */
export function nameServerOf(ledger: Ledger): number | undefined {
  return nameServerPid(ledger.nameServerPaths(hostResolvConf()));
}

/** Stops the host's name server. Call it under the ledger's lock, when no container is left. */
export async function stopNames(ledger: Ledger, { networks }: HostRecord): Promise<void> {
  if (networks.every(({ nameServer }) => nameServer === null)) return;
  await stopNameServer(ledger.nameServerPaths(hostResolvConf()));
}

/** Adds a container to the name server. */
export function announce(ledger: Ledger, record: ContainerRecord): void {
  const entries = addressesOf(record).map((one) => formatNameEntry(one, record.name, true));
  ledger.writeNames(record.id, entries.join(""));
}

/** A container's addresses, IPv4 first. */
export function addressesOf({ address, address6 }: ContainerRecord): string[] {
  return [address, address6].filter((one) => one !== null);
}

/**
 * Lines of a hosts file (hosts(5)) for the other containers of the host.
 *
 * @param id Id of the container that the file is for.
 */
export function hostsEntries(records: readonly ContainerRecord[], id: string): string[] {
  return records
    .filter((other) => other.id !== id && other.phase !== "stopping" && other.names !== "none")
    .flatMap((other) =>
      addressesOf(other).map((address) => `${address}\t${namesOfContainer(other.name).join(" ")}`)
    );
}
