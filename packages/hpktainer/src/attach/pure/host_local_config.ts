/**
 * The input and output of the CNI plugin host-local
 * (containernetworking.github.io/cni spec 1.0.0; plugins/ipam/host-local).
 */

import { type Cidr, formatCidr, formatIpv4, type Ipv4, parseInterfaceAddress } from "@hpk/core";
import { type Cidr6, formatCidr6, formatIpv6, type Ipv6, parseInterfaceAddress6 } from "@hpk/core";

/** One call of the plugin. */
export interface HostLocalRequest {
  /** Name of the network; the plugin has a directory for each. */
  readonly network: string;
  readonly subnet: Cidr;
  readonly gateway: Ipv4;
  /** Range of the second, IPv6 address; undefined for none. A release is always of both. */
  readonly ipv6: { readonly subnet: Cidr6; readonly gateway: Ipv6 } | undefined;
  /** Directory of the plugin's state. */
  readonly dataDir: string;
  /** The container's id. */
  readonly id: string;
  /** The requested address, if any. */
  readonly address: Ipv4 | undefined;
}

/** The result of an allocation. */
export interface Allocation {
  readonly ipv4: Ipv4;
  /** Undefined if none was requested. */
  readonly ipv6: Ipv6 | undefined;
}

/** Why the plugin did not allocate an address. */
export type HostLocalFailure = "exhausted" | "taken" | "other";

/** The network configuration, for standard input. */
export function hostLocalConfig(request: HostLocalRequest): string {
  return JSON.stringify({
    cniVersion: "1.0.0",
    name: request.network,
    type: "bridge",
    ipam: {
      type: "host-local",
      dataDir: request.dataDir,
      ranges: [
        [{ subnet: formatCidr(request.subnet), gateway: formatIpv4(request.gateway) }],
        ...request.ipv6 === undefined ? [] : [[{
          subnet: formatCidr6(request.ipv6.subnet),
          gateway: formatIpv6(request.ipv6.gateway),
        }]],
      ],
    },
  });
}

/** The environment of a call (CNI spec 1.0.0, "Parameters"). */
export function hostLocalEnvironment(
  command: "ADD" | "DEL",
  request: HostLocalRequest,
): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: request.id,
    CNI_NETNS: "/dev/null",
    CNI_IFNAME: "eth0",
    CNI_PATH: "/",
    ...(request.address === undefined
      ? {}
      : { CNI_ARGS: `IgnoreUnknown=1;IP=${formatIpv4(request.address)}` }),
  };
}

/**
 * Reads the result of ADD.
 *
 * @throws {SyntaxError} When it has no IPv4 address.
 */
export function parseHostLocalResult(stdout: string): Allocation {
  const result = JSON.parse(stdout) as { ips?: { address?: string }[] };
  const texts = (result.ips ?? []).map(({ address = "" }) => address);
  const ipv4 = texts.map(parseInterfaceAddress).find((address) => address !== undefined);
  const ipv6 = texts.map(parseInterfaceAddress6).find((address) => address !== undefined);
  if (ipv4 === undefined) throw new SyntaxError("the result has no IPv4 address");
  return { ipv4: ipv4.address, ipv6: ipv6?.address };
}

/** Reads the error object that the plugin prints on standard output (CNI spec 1.0.0, "Error"). */
export function parseHostLocalError(
  stdout: string,
): { message: string; failure: HostLocalFailure } {
  let message: string;
  try {
    const error = JSON.parse(stdout) as { msg?: string; details?: string };
    message = [error.msg, error.details].filter((part) => part).join(": ");
  } catch {
    message = stdout.trim();
  }
  const failure = /requested IP|already allocated|is not available in range set/.test(message)
    ? "taken"
    : /no IP addresses available/.test(message)
    ? "exhausted"
    : "other";
  return { message, failure };
}
