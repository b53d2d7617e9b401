/**
 * Names of containers on other hosts of the pod network. Each host's name server lists the
 * addresses of its own containers under one name; the monitor asks for them, and for the name of
 * each that is new, and keeps the answers as entries of this host's name server. So every query is
 * answered at once, whether the name exists or not, even while a host cannot be reached.
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

/** How long another host may take to answer, in ms: the monitor waits for it. */
const ANSWER_MS = 500;

/** How long the name of an address is cached, in ms: another container may get the address. */
const BELIEVED_MS = 30_000;

/** After this many unanswered queries, a host's names are dropped. */
const LEAST_FAILURES = 3;

/** Cached names of another host. */
interface KnownPeer {
  failures: number;
  /** The name of each address, and when it expires, by performance.now(). */
  readonly names: Map<string, PeerAnswer & { until: number }>;
}

/** Prefix of the owner of another host's entries. */
const OWNER = "peer-";

/** Queries other hosts for the names of their containers. */
export class PeerNames {
  readonly #ledger: Ledger;
  readonly #known = new Map<string, KnownPeer>();
  #podNetwork6: Cidr6 | undefined;
  #own6: Cidr6[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * Queries every other host, and updates this host's name server.
   *
   * @return Whether there is another host that may have names later.
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
      // It may be gone, or start containers later.
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

  /** Queries the name of an address, if it is not cached or has expired. */
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

/** Queries another host's name server; undefined if it has no such name. */
async function lookUp(
  name: string,
  type: "A" | "AAAA" | "PTR",
  { gateway }: Peer,
): Promise<string[]> {
  const nameServer = { ipAddr: formatIpv4(gateway), port: 53 };
  // Aborting by the signal leaves a timer behind; a clean end does not.
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
