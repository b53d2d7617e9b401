/**
 * Names of containers on other hosts of the pod network. Each host's name server lists the addresses of
 * its own containers under one name; the monitor asks for them, and for the name of each that is
 * new, and keeps the answers as entries of this host's name server. So a name is answered at once,
 * whether it exists or not, also while some host cannot be reached.
 */

import {
  type Cidr6,
  formatIpv4,
  formatPeerEntries,
  type HostRecord,
  NAME_OF_ALL,
  parseCidr,
  parseCidr6,
  type Peer,
  type PeerAnswer,
  peersOf,
  reverseName,
} from "@hpk/core";
import type { Ledger } from "@hpk/core/os";

/** How long another host may take for an answer, in ms: the monitor waits for it. */
const ANSWER_MS = 500;

/** How long the name of an address is believed, in ms: another container may get the address. */
const BELIEVED_MS = 30_000;

/** After so many questions without an answer, what is known of a host's names is forgotten. */
const LEAST_FAILURES = 3;

/** What is known of another host's names. */
interface KnownPeer {
  failures: number;
  /** What is known of each address, and until when it is believed, by performance.now(). */
  readonly names: Map<string, PeerAnswer & { until: number }>;
}

/** Prefix of the owner of entries that are another host's. */
const OWNER = "peer-";

/** Asks other hosts for the names that they have. */
export class PeerNames {
  readonly #ledger: Ledger;
  readonly #known = new Map<string, KnownPeer>();
  #podNetwork6: Cidr6 | undefined;
  #own6: Cidr6[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * Asks every other host, and lets this host's name server know.
   *
   * @return Whether there is any other host that could come to have names.
   */
  async ask({ networks, ipv6 }: HostRecord): Promise<boolean> {
    const shared6 = ipv6?.networks.find(({ subnet, podNetwork }) => subnet !== podNetwork);
    this.#podNetwork6 = shared6 && parseCidr6(shared6.podNetwork);
    this.#own6 = (ipv6?.networks ?? []).flatMap(({ subnet }) => parseCidr6(subnet) ?? []);
    const shared = networks.filter(({ nameServer, subnet, podNetwork }) =>
      nameServer !== null && subnet !== podNetwork
    );
    if (shared.length === 0) return false;
    const routes = Deno.readTextFileSync("/proc/thread-self/net/route");
    const own = networks.map(({ subnet }) => parseCidr(subnet)!);
    const peers = shared.flatMap(({ podNetwork }) => peersOf(routes, parseCidr(podNetwork)!, own));
    await Promise.all(peers.map((peer) => this.#askOne(peer)));
    const owners = peers.map(ownerOf);
    for (const owner of this.#ledger.listNames()) {
      if (owner.startsWith(OWNER) && !owners.includes(owner)) this.#ledger.writeNames(owner, "");
    }
    return true;
  }

  async #askOne(peer: Peer): Promise<void> {
    const owner = ownerOf(peer);
    const known = this.#known.get(owner) ?? { failures: 0, names: new Map() };
    this.#known.set(owner, known);
    try {
      const addresses = await lookUp(NAME_OF_ALL, "A", peer);
      await Promise.all(addresses.map((address) => this.#believe(known, address, peer)));
      for (const address of known.names.keys()) {
        if (!addresses.includes(address)) known.names.delete(address);
      }
      known.failures = 0;
    } catch {
      // It may be gone, or begin to run containers later.
      known.failures++;
      if (known.failures < LEAST_FAILURES) return;
      known.names.clear();
    }
    const entries = [...known.names.values()];
    this.#ledger.writeNames(
      owner,
      formatPeerEntries(peer, entries, this.#podNetwork6, this.#own6),
    );
  }

  /** Asks for the name of an address, where it is not known or no longer believed. */
  async #believe(known: KnownPeer, address: string, peer: Peer): Promise<void> {
    const now = performance.now();
    if ((known.names.get(address)?.until ?? 0) > now) return;
    const [name] = await lookUp(reverseName(address), "PTR", peer);
    if (name === undefined) return void known.names.delete(address);
    const addresses6 = this.#podNetwork6 === undefined ? [] : await lookUp(name, "AAAA", peer);
    known.names.set(address, { address, name, addresses6, until: now + BELIEVED_MS });
  }
}

function ownerOf({ subnet }: Peer): string {
  return `${OWNER}${formatIpv4(subnet.network)}`;
}

/** Asks another host's name server; no such name is no answer. */
async function lookUp(
  name: string,
  type: "A" | "AAAA" | "PTR",
  { gateway }: Peer,
): Promise<string[]> {
  const nameServer = { ipAddr: formatIpv4(gateway), port: 53 };
  // The end by the signal leaves a timer behind, which a clear end does not.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  try {
    return await Deno.resolveDns(name, type, { nameServer, signal: late.signal });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
