import { HpkError } from "./errors.ts";
import { readIniLines } from "./ini_lines.ts";
import { type Cidr, covers, formatCidr, type Ipv4, parseInterfaceAddress } from "./ipv4.ts";
import { type Cidr6, covers6, formatCidr6, type Ipv6, parseInterfaceAddress6 } from "./ipv6.ts";
import { isMtu } from "./settings_table.ts";

/** flanneld's description of this host's share of the pod network. */
export interface FlannelEnv {
  /** The whole pod network, all hosts together. */
  readonly network: Cidr;
  /** This host's subnet of it. */
  readonly subnet: Cidr;
  /** The address that FLANNEL_SUBNET names: the gateway of this host's pods. */
  readonly gateway: Ipv4;
  /** MTU of a pod's interface in bytes. */
  readonly mtu: number;
  /**
   * Whether flanneld itself masquerades traffic that leaves the pod network, so that nobody else has to:
   * as Flannel's CNI plugin and mk-docker-opts.sh read FLANNEL_IPMASQ.
   */
  readonly ipMasq: boolean;
  /** The IPv6 share; undefined if Flannel is IPv4-only. */
  readonly ipv6: FlannelEnv6 | undefined;
}

/** This host's share of an IPv6 pod network. */
export interface FlannelEnv6 {
  /** The whole pod network, all hosts together. */
  readonly network: Cidr6;
  /** This host's subnet of it. */
  readonly subnet: Cidr6;
  /** The address that FLANNEL_IPV6_SUBNET names: the gateway of this host's pods. */
  readonly gateway: Ipv6;
}

/**
 * Reads `subnet.env`. Quotes, CRLF, comments, blank lines and unknown keys are accepted; a missing
 * or unusable value is reported by its key.
 *
 * @param text Contents of the file.
 * @param path Where it came from, for the message.
 * @throws {HpkError} If a value is missing or wrong.
 */
export function parseFlannelEnv(text: string, path: string): FlannelEnv {
  const fail = (why: string): never => {
    throw new HpkError({
      what: `cannot use ${path}`,
      why,
      fix: "check that flanneld is running and wrote it, or use --network static --subnet CIDR",
    });
  };
  if (text.trim() === "") fail("it is empty");
  const values = readAssignments(text) ?? fail("it is not a list of KEY=value lines");
  const value = (key: string): string => values.get(key) ?? fail(`${key} is missing`);
  if (!values.has("FLANNEL_SUBNET") && values.has("FLANNEL_IPV6_SUBNET")) {
    fail("it has only an IPv6 subnet, and IPv4 is required");
  }
  const cidr = (key: string) =>
    parseInterfaceAddress(value(key)) ??
      fail(`${key} is '${value(key)}', which is not an IPv4 network`);
  const subnet = cidr("FLANNEL_SUBNET");
  const network = cidr("FLANNEL_NETWORK").cidr;
  if (!covers(network, subnet.cidr)) {
    fail(
      `FLANNEL_SUBNET ${formatCidr(subnet.cidr)} lies outside FLANNEL_NETWORK ${
        formatCidr(network)
      }`,
    );
  }
  const mtu = value("FLANNEL_MTU");
  if (!isMtu(mtu)) {
    fail(`FLANNEL_MTU is '${mtu}', which is not a valid MTU`);
  }
  const ipMasq = values.get("FLANNEL_IPMASQ") ?? "false";
  if (ipMasq !== "true" && ipMasq !== "false") {
    fail(`FLANNEL_IPMASQ is '${ipMasq}', which is neither true nor false`);
  }
  return {
    network,
    subnet: subnet.cidr,
    gateway: subnet.address === subnet.cidr.network ? subnet.address + 1 : subnet.address,
    mtu: Number(mtu),
    ipMasq: ipMasq === "true",
    ipv6: values.has("FLANNEL_IPV6_SUBNET") ? readIpv6(value, fail) : undefined,
  };
}

function readIpv6(value: (key: string) => string, fail: (why: string) => never): FlannelEnv6 {
  const cidr = (key: string) =>
    parseInterfaceAddress6(value(key)) ??
      fail(`${key} is '${value(key)}', which is not an IPv6 network`);
  const { address, cidr: subnet } = cidr("FLANNEL_IPV6_SUBNET");
  const network = cidr("FLANNEL_IPV6_NETWORK").cidr;
  if (!covers6(network, subnet)) {
    fail(
      `FLANNEL_IPV6_SUBNET ${formatCidr6(subnet)} lies outside FLANNEL_IPV6_NETWORK ${
        formatCidr6(network)
      }`,
    );
  }
  return { network, subnet, gateway: address === subnet.network ? address + 1n : address };
}

function readAssignments(text: string): Map<string, string> | undefined {
  const lines = readIniLines(text);
  if ("line" in lines) return undefined;
  return new Map(
    lines.flatMap(({ section, key, value }) =>
      key === undefined || section !== undefined
        ? []
        : [[key, value.replace(/^'(.*)'$/, "$1").trim()]]
    ),
  );
}
