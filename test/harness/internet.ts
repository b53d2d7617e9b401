/**
 * A network that private hosts attach their uplinks to, with an address outside it.
 *
 *     internet: 203.0.113.10/32 on lo ── bridge net0 198.51.100.1/24 ──┬── eth0 of one host 198.51.100.11/24
 *                                                                      └── eth0 of another 198.51.100.12/24
 */
import type { Background, SpawnOptions } from "./background.ts";
import { linksReady } from "./link_ready.ts";
import { PrivateHost } from "./private_host.ts";
import { machine, type Place, type RunOptions } from "./place.ts";
import type { RunResult } from "./run_result.ts";

/** How to attach a host. */
export interface Uplink {
  /** The link's name in the host. Default `eth0`. */
  ifName?: string;
  /** The host's IPv4 address with its prefix length, inside {@linkcode Internet.network}: `198.51.100.11/24`. */
  address: string;
  /** MTU of the link, in bytes. Default 1500. */
  mtu?: number;
  /** Whether to route everything else through the uplink. Default true. */
  defaultRoute?: boolean;
}

/** A network between hosts. Make it with `await using internet = await Internet.create()`. */
export class Internet implements Place, AsyncDisposable {
  /** Its name in messages. */
  readonly name = "internet";
  /** The network the hosts' uplinks are in (TEST-NET-2 of RFC 5737). */
  readonly network = "198.51.100.0/24";
  /** The Internet's own address there: the hosts' default gateway. */
  readonly gateway = "198.51.100.1";
  /**
   * An outside address, reached through the gateway (TEST-NET-3). It has no route back to pods:
   * they need masquerading.
   */
  readonly outside = "203.0.113.10";
  readonly #host: PrivateHost;
  #ports = 0;

  private constructor(host: PrivateHost) {
    this.#host = host;
  }

  /** Make a network without hosts. Needs root. */
  static async create(): Promise<Internet> {
    const host = await PrivateHost.create({ name: "internet" });
    const internet = new Internet(host);
    try {
      await host.run("ip", ["-batch", "-"], {
        stdin: [
          `link add ${BRIDGE} type bridge`,
          `addr add ${internet.gateway}/24 dev ${BRIDGE}`,
          `link set ${BRIDGE} up`,
          `addr add ${internet.outside}/32 dev lo`,
        ].join("\n"),
      });
      return internet;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The machine's process id of the network's init: its namespaces are under `/proc/PID/ns`. */
  get pid(): number {
    return this.#host.pid;
  }

  /** Give `host` an uplink; it is restored after a reboot. */
  async attach(host: PrivateHost, uplink: Uplink): Promise<void> {
    const { ifName = "eth0", address, mtu = 1500, defaultRoute = true } = uplink;
    await host.plug({
      plugIn: async () => {
        const port = `port${++this.#ports}`;
        await this.#inNetworks([
          `link add ${port} mtu ${mtu} type veth peer name ${ifName} address ${
            macOf(address)
          } mtu ${mtu} netns ${host.pid}`,
          `link set ${port} master ${BRIDGE} up`,
        ]);
        await host.run("ip", ["-batch", "-"], {
          stdin: [
            `addr add ${address} dev ${ifName}`,
            `link set ${ifName} up`,
            ...defaultRoute ? [`route add default via ${this.gateway} dev ${ifName}`] : [],
          ].join("\n"),
        });
        await linksReady(host, ifName);
      },
    });
  }

  /** Run a command to its end: see {@linkcode Place.run}. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.#host.run(command, args, options);
  }

  /** Run a shell script to its end: see {@linkcode Place.sh}. */
  sh(script: string, options?: RunOptions): Promise<RunResult> {
    return this.#host.sh(script, options);
  }

  /** Start a server or another command: see {@linkcode Place.spawn}. */
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): Promise<Background> {
    return this.#host.spawn(command, args, options);
  }

  /** End everything in it; attached hosts lose their uplinks. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }

  /** `netns PID` is read in the PID namespace of the caller, so this runs in the Internet's network but with the machine's processes. */
  async #inNetworks(lines: readonly string[]): Promise<void> {
    await machine.run("nsenter", ["-t", String(this.#host.pid), "-n", "--", "ip", "-batch", "-"], {
      stdin: lines.join("\n"),
    });
  }
}

const BRIDGE = "net0";

/**
 * A locally administered hardware address derived from an IPv4 address: the same before and after a
 * reboot.
 */
function macOf(address: string): string {
  const bytes = address.replace(/\/.*/, "").split(".").map(Number);
  return [2, 0, ...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
