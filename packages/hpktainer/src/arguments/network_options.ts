import type { SettingKey } from "@hpk/core";
import { HpkError } from "@hpk/core/errors";
import { isContainerName } from "@hpk/core/names";

/** What the command line says of a container's network. */
export interface NetworkOptions {
  /** Settings by key, as text. */
  readonly settings: Partial<Record<SettingKey, string>>;
  /** The address asked for. */
  readonly ip: string | undefined;
  /** The container's name. */
  readonly name: string | undefined;
}

/** One of our options: how it is shown, and what it is for. */
export interface NetworkOption {
  /** Name without the hyphens. */
  readonly name: string;
  /** Placeholder of its value; undefined for a switch. */
  readonly value: string | undefined;
  readonly description: string;
}

/** Our options of the commands that start a container. */
export const NETWORK_OPTIONS: readonly NetworkOption[] = [
  { name: "network", value: "MODE", description: "flannel, static, host (the host's own) or none" },
  {
    name: "subnet",
    value: "CIDR",
    description: "subnet of a static network, such as 10.96.0.0/24",
  },
  {
    name: "subnet6",
    value: "CIDR",
    description: "IPv6 subnet beside it, such as fd00:96::/64; default: Flannel's, or none",
  },
  { name: "ip", value: "ADDR", description: "the address to give, instead of any free one" },
  {
    name: "datapath",
    value: "PATH",
    description: "auto, veth, tap or relay; auto is the kernel's own, veth",
  },
  { name: "dns", value: "ADDR", description: "DNS server, repeatable; the default is the host's" },
  { name: "name", value: "NAME", description: "name of the container, also its host name" },
  {
    name: "uplink",
    value: "IF",
    description: "interface that leads out; default: the default route's",
  },
  { name: "mtu", value: "BYTES", description: "MTU; default: Flannel's, else the uplink's" },
  { name: "host-network", value: undefined, description: "the same as --network host" },
  { name: "wait", value: "SECONDS", description: "how long to wait for Flannel; default: 0" },
  {
    name: "publish",
    value: "PORTS",
    description: "[IP:]HOSTPORT:PORT[/tcp|udp] led to the container, repeatable",
  },
  { name: "isolated", value: undefined, description: "keep it and other isolated ones apart" },
  { name: "no-masquerade", value: undefined, description: "keep its address outside the host" },
  {
    name: "allow-imds",
    value: undefined,
    description: "let it reach the cloud's metadata service, 169.254.169.254",
  },
];

/** Finds one of our options by its name without the hyphens; undefined when it is none of ours. */
export function networkOption(name: string): NetworkOption | undefined {
  return NETWORK_OPTIONS.find((option) => option.name === name);
}

/** Options that can be given several times, and make a list. */
const LISTS = ["dns", "publish"];

/**
 * Reads our options.
 *
 * @param given Names and values in the order of the command line; of a name given twice, the last
 * counts, but for lists. A switch has the value "yes", or what stands behind its "=".
 * @throws {HpkError} On an empty value or a wrong name.
 */
export function readNetworkOptions(given: readonly (readonly [string, string])[]): NetworkOptions {
  const values = new Map<string, string>();
  for (const [name, value] of given) {
    if (value === "") {
      throw new HpkError({
        what: `cannot use --${name}`,
        why: "its value is empty",
        fix: "give one",
      });
    }
    const before = values.get(name);
    values.set(name, LISTS.includes(name) && before !== undefined ? `${before},${value}` : value);
  }
  const name = values.get("name");
  if (name !== undefined) checkContainerName(name);
  const settings: Partial<Record<SettingKey, string>> = {};
  for (const key of SETTINGS) {
    const value = values.get(key);
    if (value !== undefined) settings[key] = value;
  }
  if (isHostNetwork(values.get("host-network"))) settings.network = "host";
  const kept = values.get("no-masquerade");
  if (kept !== undefined) settings.masquerade = OPPOSITE.get(kept) ?? kept;
  return { settings, ip: values.get("ip"), name };
}

function isHostNetwork(value: string | undefined): boolean {
  if (value === undefined || value === "yes" || value === "no") return value === "yes";
  throw new HpkError({
    what: "cannot use --host-network",
    why: `'${value}' is neither yes nor no`,
    fix: "write it without a value",
  });
}

/** Options that are called as the setting that they set. */
const SETTINGS = [
  ...["network", "subnet", "subnet6", "datapath", "dns", "uplink", "mtu", "wait"] as const,
  ...["publish", "isolated", "allow-imds"] as const,
];

const OPPOSITE = new Map([["yes", "no"], ["no", "yes"]]);

/**
 * Checks a container's name.
 *
 * @throws {HpkError} When it cannot be one.
 */
export function checkContainerName(name: string): void {
  if (!isContainerName(name)) {
    throw new HpkError({
      what: `cannot name a container '${name}'`,
      why:
        "a name has at most 63 letters, digits, hyphens, dots and underscores and begins with a letter or digit",
      fix: "choose another name",
    });
  }
}
