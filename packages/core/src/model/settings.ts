import { parse } from "@std/ini";
import { HpkError } from "./errors.ts";
import { isInterfaceName } from "./names.ts";
import { isIpAddress } from "./ip_text.ts";
import { parseCidr } from "./ipv4.ts";
import { parseCidr6 } from "./ipv6.ts";
import { parsePublishList, PUBLISH_SYNTAX, type PublishedPort } from "./published_port.ts";

/** Where the configuration file lies, unless HPK_CONFIG names another. */
export const CONFIG_PATH = "/etc/hpktainer/config.ini";

/** Where containers get their addresses from. */
export type NetworkMode = "flannel" | "static" | "host" | "none";

/** How frames reach a container. */
export type Datapath = "auto" | "veth" | "tap" | "relay";

/** Every setting, resolved. */
export interface Settings {
  /** The network of containers; undefined means Flannel, or static where a subnet is set. */
  readonly network: NetworkMode | undefined;
  /** The static subnet as text, such as "10.96.0.0/24". */
  readonly subnet: string | undefined;
  /** The IPv6 subnet beside it as text, such as "fd00:96::/64"; undefined means Flannel's, or none. */
  readonly subnet6: string | undefined;
  readonly bridge: string;
  /** The interface that leads out of the host; undefined means that of the default route. */
  readonly uplink: string | undefined;
  /** MTU in bytes; undefined means Flannel's, or the uplink's. */
  readonly mtu: number | undefined;
  readonly datapath: Datapath;
  /** DNS servers for containers; empty means the host's. */
  readonly dns: readonly string[];
  /** Whether containers find each other by name. */
  readonly names: boolean;
  /** Path of flanneld's subnet file. */
  readonly flannelEnv: string;
  /** How long to wait for flanneld's subnet file, in seconds. */
  readonly wait: number;
  /** How long the shared part of the host stays after the last container, in seconds. */
  readonly linger: number;
  /** Ports of the host that lead to the container. */
  readonly publish: readonly PublishedPort[];
  /** Whether the container is kept from others that are isolated. */
  readonly isolated: boolean;
  /** Whether what leaves the pod network gets the host's address, where we are the one to do that. */
  readonly masquerade: boolean;
  /** Whether the container reaches the cloud's instance metadata service. */
  readonly allowImds: boolean;
}

/** Name of a setting, as in the configuration file. */
export type SettingKey =
  | "network"
  | "subnet"
  | "subnet6"
  | "bridge"
  | "uplink"
  | "mtu"
  | "datapath"
  | "dns"
  | "names"
  | "flannel-env"
  | "wait"
  | "linger"
  | "publish"
  | "isolated"
  | "masquerade"
  | "allow-imds";

/** A setting as text and where it came from. */
export interface SettingSource {
  readonly key: SettingKey;
  /** The value, or the empty string where nothing is set. */
  readonly value: string;
  /** "option --mtu", "environment HPK_MTU", "/etc/hpktainer/config.ini:3" or "default". */
  readonly origin: string;
}

interface SettingSpec {
  readonly fallback: string;
  /** What a value must be, for the message; checked by `accepts`. */
  readonly expected: string;
  readonly accepts: (value: string) => boolean;
}

const NETWORKS: readonly string[] = ["flannel", "static", "host", "none"];
const DATAPATHS: readonly string[] = ["auto", "veth", "tap", "relay"];

/** Smallest MTU of an IPv4 link, and the largest that an IPv4 packet can fill, in bytes (RFC 791). */
const MTU_MIN = 68;
const MTU_MAX = 65535;

/** The longest wait or linger, in seconds: an hour. Who wants to wait longer wants a service. */
const WAIT_MAX_S = 3600;

const SPECS: Readonly<Record<SettingKey, SettingSpec>> = {
  "network": {
    fallback: "",
    expected: "one of flannel, static, host, none",
    accepts: (value) => NETWORKS.includes(value),
  },
  "subnet": {
    fallback: "",
    expected: "an IPv4 network such as 10.96.0.0/24",
    accepts: (value) => parseCidr(value) !== undefined,
  },
  "subnet6": {
    fallback: "",
    expected: "an IPv6 network such as fd00:96::/64",
    accepts: (value) => parseCidr6(value) !== undefined,
  },
  "bridge": { fallback: "hpk-bridge", expected: "an interface name", accepts: isInterfaceName },
  "uplink": { fallback: "", expected: "an interface name", accepts: isInterfaceName },
  "mtu": {
    fallback: "",
    expected: `a number of bytes from ${MTU_MIN} to ${MTU_MAX}`,
    accepts: isMtu,
  },
  "datapath": {
    fallback: "auto",
    expected: "one of auto, veth, tap, relay",
    accepts: (value) => DATAPATHS.includes(value),
  },
  "dns": {
    fallback: "",
    expected: "IP addresses separated by commas",
    accepts: (value) => value.split(",").every((item) => isIpAddress(item.trim())),
  },
  "names": yesOrNo("yes"),
  "flannel-env": {
    // Where flanneld writes its lease (flannel, --subnet-file).
    fallback: "/run/flannel/subnet.env",
    expected: "an absolute path",
    accepts: (value) => value.startsWith("/"),
  },
  "wait": seconds("0"),
  // A loop of short commands pauses for less; someone who looks at the host afterwards does not wait long.
  "linger": seconds("10"),
  "publish": {
    fallback: "",
    expected: PUBLISH_SYNTAX,
    accepts: (value) => parsePublishList(value) !== undefined,
  },
  "isolated": yesOrNo("no"),
  "masquerade": yesOrNo("yes"),
  "allow-imds": yesOrNo("no"),
};

function yesOrNo(fallback: "yes" | "no"): SettingSpec {
  return { fallback, expected: "yes or no", accepts: (value) => ["yes", "no"].includes(value) };
}

function seconds(fallback: string): SettingSpec {
  return {
    fallback,
    expected: `a number of seconds from 0 to ${WAIT_MAX_S}`,
    accepts: (value) => /^[0-9]{1,4}$/.test(value) && Number(value) <= WAIT_MAX_S,
  };
}

/** Whether a text is an MTU in bytes. */
export function isMtu(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= MTU_MIN && Number(text) <= MTU_MAX;
}

/** Every key, in the order that they are shown. */
export const SETTING_KEYS = Object.keys(SPECS) as SettingKey[];

/** Where settings are read from, weakest first: file, environment, command line. */
export interface SettingInputs {
  /** The configuration file; undefined where there is none. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
  /** The environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options of the command line by key; a list is joined by commas. */
  readonly options: Partial<Readonly<Record<SettingKey, string>>>;
}

/** Settings, each with its origin. */
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly sources: readonly SettingSource[];
}

/**
 * Resolves every setting: an option beats the environment, which beats the file, which beats the
 * default.
 *
 * @throws {HpkError} On a wrong key or value, naming the file and line, variable or option.
 */
export function resolveSettings(inputs: SettingInputs): ResolvedSettings {
  const file = inputs.file === undefined ? new Map() : readConfigFile(inputs.file);
  const sources = SETTING_KEYS.map((key): SettingSource => {
    const spec = SPECS[key];
    const variable = `HPK_${key.toUpperCase().replaceAll("-", "_")}`;
    const found = [
      { value: inputs.options[key], origin: `option --${key}` },
      { value: inputs.environment[variable], origin: `environment ${variable}` },
      file.get(key) ?? { value: undefined, origin: "" },
    ].find(({ value }) => value !== undefined && value !== "");
    if (found === undefined) return { key, value: spec.fallback, origin: "default" };
    if (!spec.accepts(found.value!)) {
      throw new HpkError({
        what: `${found.origin}: cannot use ${key} '${found.value}'`,
        why: "the value is wrong",
        fix: `give ${spec.expected}`,
      });
    }
    return { key, value: found.value!, origin: found.origin };
  });
  return { settings: toSettings(sources), sources };
}

function toSettings(sources: readonly SettingSource[]): Settings {
  const value = (key: SettingKey): string => sources.find((source) => source.key === key)!.value;
  const optional = (key: SettingKey): string | undefined => value(key) || undefined;
  const mtu = optional("mtu");
  return {
    network: optional("network") as NetworkMode | undefined,
    subnet: optional("subnet"),
    subnet6: optional("subnet6"),
    bridge: value("bridge"),
    uplink: optional("uplink"),
    mtu: mtu === undefined ? undefined : Number(mtu),
    datapath: value("datapath") as Datapath,
    dns: splitList(value("dns")),
    names: value("names") === "yes",
    flannelEnv: value("flannel-env"),
    wait: Number(value("wait")),
    linger: Number(value("linger")),
    publish: parsePublishList(value("publish"))!,
    isolated: value("isolated") === "yes",
    masquerade: value("masquerade") === "yes",
    allowImds: value("allow-imds") === "yes",
  };
}

/** The one section of the configuration file. */
const SECTION = "network";

function readConfigFile(
  file: { readonly path: string; readonly text: string },
): Map<string, { value: string; origin: string }> {
  const fail = (line: number, what: string, why: string, fix: string): never => {
    throw new HpkError({ what: `${file.path}:${line}: ${what}`, why, fix });
  };
  let parsed: Record<string, unknown>;
  try {
    parsed = parse(file.text);
  } catch (error) {
    const line = Number(/line ([0-9]+)/.exec(String(error))?.[1] ?? 1);
    return fail(
      line,
      "cannot read this line",
      "it is no INI",
      "write 'key = value' or '[network]'",
    );
  }
  const found = new Map<string, { value: string; origin: string }>();
  for (const [section, entries] of Object.entries(parsed)) {
    const isSection = typeof entries === "object" && entries !== null;
    if (section !== SECTION || !isSection) {
      fail(
        isSection ? lineOf(file.text, section) : lineOf(file.text, undefined, section),
        `unknown ${isSection ? "section" : "key"} '${section}'`,
        "keys stand in the section [network]",
        `keys are ${SETTING_KEYS.join(", ")}`,
      );
    }
    for (const key of Object.keys(entries as object)) {
      const line = lineOf(file.text, section, key);
      if (!Object.hasOwn(SPECS, key)) {
        fail(
          line,
          `unknown key '${key}'`,
          "no setting has that name",
          `keys are ${SETTING_KEYS.join(", ")}`,
        );
      }
      found.set(key, { value: valueOnLine(file.text, line), origin: `${file.path}:${line}` });
    }
  }
  return found;
}

const LINE_END = /\r\n|\r|\n/;

/** Number of the last line, from 1, that sets a key of a section or, without a key, begins it. */
function lineOf(text: string, section: string | undefined, key?: string): number {
  let current: string | undefined;
  const holds = text.split(LINE_END).map((raw) => {
    const line = raw.trim();
    const heading = /^\[(.*)\]$/.exec(line)?.[1];
    if (heading !== undefined) current = heading;
    if (key === undefined) return heading === section;
    return current === section && line.startsWith(key) && /^\s*=/.test(line.slice(key.length));
  });
  return holds.lastIndexOf(true) + 1;
}

/** The value as written: the parser makes 7 of "007" and 0 of nothing. */
function valueOnLine(text: string, line: number): string {
  const written = text.split(LINE_END)[line - 1]!;
  return written.slice(written.indexOf("=") + 1).trim().replace(/^"(.*)"$/, "$1").trim();
}

function splitList(value: string): string[] {
  return value.split(",").map((item) => item.trim()).filter((item) => item !== "");
}
