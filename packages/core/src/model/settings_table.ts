/**
 * The table of settings. Options of the command line, variables of the environment, keys of the
 * configuration file, completion, `hpktainer doctor` and the reference are derived from it: a further
 * setting is a row here and its effect.
 */

import type { Camel } from "./command.ts";
import { isIpAddress } from "./ip_text.ts";
import { parseCidr } from "./ipv4.ts";
import { parseCidr6 } from "./ipv6.ts";
import { isInterfaceName } from "./names.ts";
import type { Option } from "./option.ts";
import { parsePublishList, PUBLISH_SYNTAX } from "./published_port.ts";

/** A setting. */
export interface SettingRow<Value> {
  /** Default as text; empty where nothing is set by default. */
  readonly fallback: string;
  /** The default in words, where `fallback` does not say it. */
  readonly otherwise?: string;
  /** Whether its value is undefined where nothing is set. */
  readonly optional?: true;
  /** What a value must be, for messages and the reference. */
  readonly expected: string;
  /** Values that can be listed. */
  readonly choices?: readonly string[];
  /** Reads a value; undefined where it is wrong. */
  readonly read: (text: string) => Value | undefined;
  /** What it is for, in whole sentences, for the reference. */
  readonly about: string;
  /** Its option on the command line, if it has one. */
  readonly option?: SettingOption;
}

/**
 * How a setting is written as an option. Its name is the setting's; without a placeholder it is a
 * switch that means "yes", or with `negated` one of the name `--no-NAME` that means "no".
 */
export interface SettingOption extends Pick<Option, "value" | "many"> {
  readonly help: string;
  readonly negated?: true;
  /** Its letter where Docker's command line is imitated; Apptainer has other meanings for them. */
  readonly dockerLetter?: string;
  /** Other names where Docker's command line is imitated. */
  readonly dockerAliases?: readonly string[];
}

const NETWORKS = ["auto", "flannel", "static", "host", "none"] as const;
const DATAPATHS = ["auto", "veth", "tap", "relay"] as const;

/** Smallest MTU of an IPv4 link, and the largest that an IPv4 packet can fill, in bytes (RFC 791). */
const MTU_MIN = 68;
const MTU_MAX = 65535;

/** The longest wait or linger, in seconds: an hour. A longer wait is a service manager's. */
const WAIT_MAX_S = 3600;

/** Every setting by its key in the configuration file, in the order that they are shown. */
export const SETTINGS = {
  "network": setting({
    fallback: "auto",
    ...oneOf(NETWORKS),
    about:
      "Where containers get their addresses from. `auto` is `static` where a subnet is set, else `flannel` where Flannel is, else `static` with a subnet that nothing on the host uses.",
    option: {
      value: "MODE",
      help: "auto, flannel, static, host (the host's own) or none",
      dockerAliases: ["net"],
    },
  }),
  "subnet": optional({
    expected: "an IPv4 network such as 10.96.0.0/24",
    read: (text) => parseCidr(text) && text,
    otherwise: "none",
    about: "Subnet of a static network. The gateway is its first address.",
    option: { value: "CIDR", help: "subnet of a static network, such as 10.96.0.0/24" },
  }),
  "subnet6": optional({
    expected: "an IPv6 network such as fd00:96::/64",
    read: (text) => parseCidr6(text) && text,
    otherwise: "Flannel's (`FLANNEL_IPV6_SUBNET`), else none",
    about: "IPv6 subnet next to it. Each container then has an address of each family.",
    option: {
      value: "CIDR",
      help: "IPv6 subnet next to it, such as fd00:96::/64; default: Flannel's",
    },
  }),
  "bridge": setting({
    fallback: "hpk-bridge",
    ...interfaceName(),
    about: "Name of the host's bridge.",
  }),
  "uplink": optional({
    ...interfaceName(),
    otherwise: "that of the default route",
    about:
      "The interface to masquerade on, and to take the MTU from. By default the rules hold for every interface but the bridge.",
    option: { value: "IF", help: "interface to the outside; default: the default route's" },
  }),
  "mtu": optional({
    expected: `a number of bytes from ${MTU_MIN} to ${MTU_MAX}`,
    read: (text) => isMtu(text) ? Number(text) : undefined,
    otherwise: "Flannel's, else the uplink's",
    about: "MTU of a container's interface, in bytes.",
    option: { value: "BYTES", help: "MTU; default: Flannel's, else the uplink's" },
  }),
  "datapath": setting({
    fallback: "auto",
    ...oneOf(DATAPATHS),
    about: "How frames reach a container. `auto` is the kernel's own, `veth`.",
    option: { value: "PATH", help: "auto, veth, tap or relay; auto is the kernel's own, veth" },
  }),
  "dns": setting({
    fallback: "",
    otherwise: "the host's",
    expected: "IP addresses separated by commas",
    read: (text) => readList(text, isIpAddress),
    about: "DNS servers of containers.",
    option: { value: "ADDR", help: "DNS server, repeatable; default: the host's", many: true },
  }),
  "names": setting({
    fallback: "yes",
    ...yesOrNo(),
    about: "Whether containers find each other by name.",
  }),
  "flannel-env": setting({
    // Where flanneld writes its lease (flannel, --subnet-file).
    fallback: "/run/flannel/subnet.env",
    expected: "an absolute path",
    read: (text) => text.startsWith("/") ? text : undefined,
    about: "Path of flanneld's subnet file.",
  }),
  "wait": setting({
    fallback: "0",
    ...seconds(),
    about: "How long to wait for flanneld's subnet file, in seconds.",
    option: { value: "SECONDS", help: "how long to wait for Flannel; default: 0" },
  }),
  "linger": setting({
    // A loop of short commands pauses for less; someone who inspects the host afterwards waits little.
    fallback: "10",
    ...seconds(),
    about:
      "How long the shared part of the host stays after the last container, in seconds: bridge, packet filter chains, name server and monitor. 0 removes it at once.",
  }),
  "publish": setting({
    fallback: "",
    otherwise: "none",
    expected: PUBLISH_SYNTAX,
    read: parsePublishList,
    about: "Ports of the host that are forwarded to the container.",
    option: {
      value: "PORTS",
      help: "forward [IP:]HOSTPORT:PORT[/tcp|udp] to the container, repeatable",
      many: true,
      dockerLetter: "p",
    },
  }),
  "isolated": setting({
    fallback: "no",
    ...yesOrNo(),
    about: "Whether the container is kept apart from other isolated ones.",
    option: { help: "keep it and other isolated ones apart" },
  }),
  "masquerade": setting({
    fallback: "yes",
    ...yesOrNo(),
    about:
      "Whether packets that leave the pod network get the host's address, where hpktainer is the one to do that.",
    option: { help: "keep its address outside the host", negated: true },
  }),
  "allow-imds": setting({
    fallback: "no",
    ...yesOrNo(),
    about: "Whether the container reaches the cloud's instance metadata service.",
    option: { help: "let it reach the cloud's metadata service, 169.254.169.254" },
  }),
};

type Table = typeof SETTINGS;

/** Name of a setting, as in the configuration file. */
export type SettingKey = keyof Table;

/** Every setting, resolved. What each means is said in its row. */
export type Settings = { readonly [Key in SettingKey as Camel<Key>]: ValueOf<Table[Key]> };

type ValueOf<Row> = Row extends { optional: true; read: (text: string) => infer Value } ? Value
  : Row extends { read: (text: string) => infer Value } ? Exclude<Value, undefined>
  : never;

/** The network that is asked for. */
export type WantedNetwork = Settings["network"];

/** How frames reach a container. */
export type Datapath = Settings["datapath"];

/** Whether a text is an MTU in bytes. */
export function isMtu(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= MTU_MIN && Number(text) <= MTU_MAX;
}

/** The variable of the environment that sets a setting. */
export function variableOf(key: string): string {
  return `HPK_${key.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * A setting's option as a row of a table of options; undefined where it has none.
 *
 * @param dockerLike Whether it has its letter and other names of Docker's command line.
 */
export function optionOf(
  key: string,
  row: SettingRow<unknown>,
  dockerLike = false,
): Option | undefined {
  if (row.option === undefined) return undefined;
  const { value, help, many, negated, dockerLetter, dockerAliases } = row.option;
  return {
    name: negated ? `no-${key}` : key,
    help,
    ...(value === undefined ? {} : { value }),
    ...(many === undefined ? {} : { many }),
    ...(row.choices === undefined || value === undefined ? {} : { choices: row.choices }),
    ...(dockerLike && dockerLetter !== undefined ? { letter: dockerLetter } : {}),
    ...(dockerLike && dockerAliases !== undefined ? { aliases: dockerAliases } : {}),
  };
}

function setting<Value>(row: SettingRow<Value>): SettingRow<Value> {
  return row;
}

function optional<Value>(
  row: Omit<SettingRow<Value>, "fallback" | "optional">,
): SettingRow<Value> & { readonly optional: true } {
  return { ...row, fallback: "", optional: true };
}

function oneOf<const Choice extends string>(
  choices: readonly Choice[],
): Pick<SettingRow<Choice>, "expected" | "choices" | "read"> {
  return {
    expected: `one of ${choices.join(", ")}`,
    choices,
    read: (text) => choices.find((choice) => choice === text),
  };
}

function yesOrNo(): Pick<SettingRow<boolean>, "expected" | "choices" | "read"> {
  return {
    expected: "yes or no",
    choices: ["yes", "no"],
    read: (text) => text === "yes" ? true : text === "no" ? false : undefined,
  };
}

function seconds(): Pick<SettingRow<number>, "expected" | "read"> {
  return {
    expected: `a number of seconds from 0 to ${WAIT_MAX_S}`,
    read: (text) =>
      /^[0-9]{1,4}$/.test(text) && Number(text) <= WAIT_MAX_S ? Number(text) : undefined,
  };
}

function interfaceName(): Pick<SettingRow<string>, "expected" | "read"> {
  return {
    expected: "an interface name",
    read: (text) => isInterfaceName(text) ? text : undefined,
  };
}

function readList(text: string, fits: (item: string) => boolean): readonly string[] | undefined {
  const items = text === "" ? [] : text.split(",").map((item) => item.trim());
  return items.every(fits) ? items : undefined;
}
