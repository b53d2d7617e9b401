import { HpkError, isContainerName, type SettingKey } from "@hpk/core";

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
  /** Placeholder of its value. */
  readonly value: string;
  readonly description: string;
}

/** Our options of the commands that start a container; each takes a value. */
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
  { name: "wait", value: "SECONDS", description: "how long to wait for Flannel; default: 0" },
];

/** Whether an option is one of ours. */
export function isNetworkOption(name: string): boolean {
  return NETWORK_OPTIONS.some((option) => option.name === name);
}

/**
 * Reads our options.
 *
 * @param given Names and values in the order of the command line; of a name given twice, the last
 * counts, but for dns, which is a list.
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
    values.set(name, name === "dns" && before !== undefined ? `${before},${value}` : value);
  }
  const name = values.get("name");
  if (name !== undefined) checkContainerName(name);
  const settings: Partial<Record<SettingKey, string>> = {};
  for (
    const key of [
      ...["network", "subnet", "subnet6", "datapath", "dns", "uplink", "mtu", "wait"] as const,
    ] as const
  ) {
    const value = values.get(key);
    if (value !== undefined) settings[key] = value;
  }
  return { settings, ip: values.get("ip"), name };
}

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
