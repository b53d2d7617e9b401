/**
 * Hosts on one underlay whose pod networks are joined as by Flannel: by the real flanneld with a real
 * etcd, or configured by hand in the same way.
 *
 *   etcd 198.51.100.1:2379              outside 203.0.113.10
 *               |                            |
 *   underlay 198.51.100.0/24 ──┬── eth0 198.51.100.11 [ host1 ] hpk-bridge 10.244.x.1 ── pods
 *                              ├── eth0 198.51.100.12 [ host2 ] hpk-bridge 10.244.y.1 ── pods
 *                              └── eth0 198.51.100.13 [ host3 ] hpk-bridge 10.244.z.1 ── pods
 */
import { type Background, eventually, Internet, machine, PrivateHost } from "../mod.ts";
import { ETCD, ETCDCTL, FLANNELD } from "./flannel.ts";
import { programByHand } from "./by_hand.ts";
import type { ClusterOptions, Node } from "./node.ts";

export type { Backend, ClusterOptions, Node, Programmer } from "./node.ts";

/** Flannel's whole pod network. */
export const POD_NETWORK = "10.244.0.0/16";
/** Flannel's whole IPv6 pod network. */
export const POD_NETWORK6 = "fd00:244::/56";

const CLIENT_PORT = 2379;
/** Enough for flanneld to contact etcd, wait for the interface, and take a lease. */
const READY = { timeoutMs: 60_000 } as const;

/** A cluster. Make it with `await using cluster = await Cluster.create(…)`. */
export class Cluster implements AsyncDisposable {
  readonly options: ClusterOptions;
  readonly internet: Internet;
  readonly nodes: readonly Node[];
  readonly #stack: AsyncDisposableStack;
  readonly #flanneld = new Map<Node, Background>();
  #etcd: Background | undefined;

  private constructor(
    options: ClusterOptions,
    internet: Internet,
    nodes: readonly Node[],
    stack: AsyncDisposableStack,
  ) {
    this.options = options;
    this.internet = internet;
    this.nodes = nodes;
    this.#stack = stack;
  }

  /**
   * Makes the hosts and joins their pod networks. Needs root, and for flanneld the `flanneldNeeds`.
   */
  static async create(options: ClusterOptions): Promise<Cluster> {
    await using stack = new AsyncDisposableStack();
    const internet = stack.use(await Internet.create());
    await internet.sh(`
      ip -6 addr add ${UNDERLAY6}1/64 dev net0 nodad
      ip -6 addr add ${OUTSIDE6}/128 dev lo nodad
    `);
    const nodes: Node[] = [];
    for (let number = 1; number <= options.hosts; number++) {
      const host = stack.use(await PrivateHost.create({ name: `host${number}` }));
      const address = `198.51.100.${10 + number}`;
      const address6 = `${UNDERLAY6}${10 + number}`;
      if (number === options.faultyNic) stack.use(await attachByFaultyNic(internet, host, address));
      else await internet.attach(host, { address: `${address}/24` });
      await host.plug({
        plugIn: async () => {
          await host.sh(`
            ip -6 addr add ${address6}/64 dev eth0 nodad
            ip -6 route add default via ${UNDERLAY6}1
          `);
        },
      });
      nodes.push({ host, number, address, address6 });
    }
    const cluster = new Cluster(options, internet, nodes, stack.move());
    try {
      if (options.by === "flanneld") {
        await cluster.startEtcd();
        await cluster.configure();
        // One after the other: two that start at once may choose the same subnet, and the second
        // ends.
        for (const node of nodes) await cluster.startFlanneld(node);
        await cluster.#joined();
      } else {
        for (const node of nodes) {
          await node.host.plug({ plugIn: () => programByHand(cluster, node) });
        }
      }
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts etcd at an address that the hosts reach. Its data survives a restart. */
  async startEtcd(): Promise<void> {
    const { gateway } = this.internet;
    const url = `http://${gateway}:${CLIENT_PORT}`;
    this.#etcd = await this.internet.spawn(ETCD!, [
      ...["--data-dir", "/var/lib/cluster-etcd", "--name", "etcd"],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", "http://127.0.0.1:2380"],
    ], { env: { ETCD_UNSUPPORTED_ARCH: Deno.build.arch === "aarch64" ? "arm64" : "" } });
    await eventually(() => this.etcdctl(["endpoint", "health"]), { what: "etcd", ...READY });
  }

  /** Kills etcd (SIGKILL). */
  async killEtcd(): Promise<void> {
    await this.#etcd?.[Symbol.asyncDispose]();
  }

  /** Runs etcd's client; returns its standard output. */
  async etcdctl(args: readonly string[]): Promise<string> {
    const endpoint = `--endpoints=http://${this.internet.gateway}:${CLIENT_PORT}`;
    const env = { ETCDCTL_API: "3" };
    return (await this.internet.run(ETCDCTL!, [endpoint, ...args], { env })).stdout || "done";
  }

  /** Writes Flannel's configuration to etcd. */
  async configure(): Promise<void> {
    const { backend, ipv6 } = this.options;
    const config = {
      Network: POD_NETWORK,
      ...ipv6 ? { EnableIPv6: true, IPv6Network: POD_NETWORK6 } : {},
      Backend: { Type: backend },
    };
    await this.etcdctl(["put", "/coreos.com/network/config", JSON.stringify(config)]);
  }

  /** Starts flanneld on a host, and waits until it reports that it is ready. */
  async startFlanneld(node: Node): Promise<void> {
    const daemon = await node.host.spawn(FLANNELD!, [
      `-etcd-endpoints=http://${this.internet.gateway}:${CLIENT_PORT}`,
      ...["-iface=eth0", `-public-ip=${node.address}`, "-healthz-port=0"],
      ...this.options.ipv6 ? [`-public-ipv6=${node.address6}`] : [],
      `-ip-masq=${this.options.ipMasq ?? false}`,
    ]);
    this.#stack.use(daemon);
    this.#flanneld.set(node, daemon);
    await daemon.waitFor(/Running backend/, READY);
    await eventually(() => this.subnetEnv(node), { what: "subnet.env", ...READY });
  }

  /** Kills flanneld on a host (SIGKILL). */
  async killFlanneld(node: Node): Promise<void> {
    await this.#flanneld.get(node)?.[Symbol.asyncDispose]();
  }

  /** Makes Flannel forget a host's subnet, so that its next flanneld takes another. */
  async forgetSubnet(node: Node): Promise<void> {
    const { FLANNEL_SUBNET } = await this.subnetEnv(node);
    const key = FLANNEL_SUBNET!.replace(/\.1\//, ".0-");
    await this.etcdctl(["del", "--prefix", `/coreos.com/network/subnets/${key}`]);
    await node.host.sh("rm /run/flannel/subnet.env; ip link delete flannel.1");
  }

  /** The contents of a host's subnet.env, by key. */
  async subnetEnv(node: Node): Promise<Record<string, string>> {
    const { stdout } = await node.host.run("cat", ["/run/flannel/subnet.env"]);
    return Object.fromEntries(
      stdout.trim().split("\n").map((line) => line.split("=", 2) as [string, string]),
    );
  }

  /** Disconnects a host's uplink, or reconnects it: the underlay is partitioned. */
  async setUplink(node: Node, state: "up" | "down"): Promise<void> {
    // At the underlay's port: the host keeps its routes.
    await this.internet.run("ip", ["link", "set", `port${node.number}`, state]);
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }

  /** Waits until each host has a route to each other's pods. */
  async #joined(): Promise<void> {
    for (const node of this.nodes) {
      const others = this.nodes.filter((other) => other !== node);
      for (const other of others) {
        const subnet = (await this.subnetEnv(other))["FLANNEL_SUBNET"]!.replace(/\.1\//, ".0/");
        await eventually(
          async () => (await node.host.run("ip", ["route", "show", subnet])).stdout !== "",
          { what: `route of ${node.host.name} to ${subnet}`, ...READY },
        );
      }
    }
  }
}

/** Attaches a host through a faulty card, for as long as the returned process lives. */
async function attachByFaultyNic(
  internet: Internet,
  host: PrivateHost,
  address: string,
): Promise<Background> {
  const card = await machine.spawn(`${import.meta.dirname}/../../../scripts/deno`, [
    ...["run", "-A", "--no-check", `${import.meta.dirname}/faulty_nic.ts`],
    ...[`/proc/${host.pid}/ns/net`, "eth0", `/proc/${internet.pid}/ns/net`, "faulty0"],
  ]);
  await card.waitFor(/^ready$/m, READY);
  await internet.sh("ip link set faulty0 master net0 up");
  await host.sh(`
    ip addr add ${address}/24 dev eth0
    ip link set eth0 up
    ip route add default via ${internet.gateway}
  `);
  return card;
}

/** An outside address that hosts reach through the underlay. */
export const OUTSIDE6 = "2001:db8:ffff::10";

/** Prefix of IPv6 addresses on the underlay (RFC 3849, documentation). */
const UNDERLAY6 = "2001:db8:100::";
