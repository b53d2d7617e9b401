/**
 * The host's own file, /etc/hpktainer/host.ini: how host-setup configures the host, and which ports
 * of the host are published for which instance. A file that only publishes ports needs no heading:
 *
 *     80 = instance:web:80
 *     198.51.100.11:53/udp = instance:dns:5353
 *
 *     [network]
 *     uplink = enX0
 */

import { HpkError } from "./errors.ts";
import { LINE_END, readIniLines } from "./ini_lines.ts";
import { formatCidr, formatIpv4, parseCidr, parseIpv4 } from "./ipv4.ts";
import { isContainerName, isInterfaceName } from "./names.ts";
import { isMtu } from "./settings_table.ts";

/** Path of the file. */
export const HOST_INI_PATH = "/etc/hpktainer/host.ini";

/**
 * A port of the host that is forwarded to a port of an instance, whatever address the instance has.
 */
export interface HostPort {
  /** The host's address to publish it on, such as "198.51.100.11"; undefined for every address. */
  readonly address: string | undefined;
  readonly hostPort: number;
  readonly protocol: "tcp" | "udp";
  /** Name of the instance. */
  readonly instance: string;
  readonly containerPort: number;
  /** The same as a value of hpktainer's --publish, such as "80:8080/tcp". */
  readonly publish: string;
}

/** A key of the section [network]. */
export type HostKey =
  | "subnet"
  | "bridge"
  | "name"
  | "uplink"
  | "mtu"
  | "offload"
  | "imds";

/** Contents of the file. */
export interface HostIni {
  /** The keys that it sets, with their values as text. */
  readonly network: Partial<Readonly<Record<HostKey, string>>>;
  readonly ports: readonly HostPort[];
}

/** The valid values of each key: for messages, and as a check. */
export const HOST_KEYS: Readonly<
  Record<HostKey, { readonly expected: string; readonly accepts: (value: string) => boolean }>
> = {
  subnet: {
    expected: "an IPv4 network such as 10.72.0.0/16",
    accepts: (value) => {
      const cidr = parseCidr(value);
      return cidr !== undefined && formatCidr(cidr) === value;
    },
  },
  bridge: { expected: "an interface name", accepts: isInterfaceName },
  name: {
    expected: "a name of letters, digits, '-' and '_'",
    accepts: (value) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(value),
  },
  uplink: { expected: "an interface name", accepts: isInterfaceName },
  mtu: { expected: "a number of bytes from 68 to 65535", accepts: isMtu },
  offload: {
    expected: "one of own, all, keep",
    accepts: (value) => ["own", "all", "keep"].includes(value),
  },
  imds: {
    expected: "one of closed, open",
    accepts: (value) => ["closed", "open"].includes(value),
  },
};

/**
 * Reads the file. Errors name the line, and a port that is listed twice is detected.
 *
 * @param text Its contents.
 * @param path Its name, for messages.
 * @throws {HpkError} On the first wrong line, with its number.
 */
export function parseHostIni(text: string, path: string = HOST_INI_PATH): HostIni {
  const network: Partial<Record<HostKey, string>> = {};
  const ports: HostPort[] = [];
  const lineOfKey = new Map<string, number>();
  const failAt = (line: number): Fail => (what, why, fix) => {
    throw new HpkError({ what: `${path}:${line}: ${what}`, why, fix });
  };
  const lines = readIniLines(text);
  if ("line" in lines) {
    return failAt(lines.line)(
      `cannot read '${text.split(LINE_END)[lines.line - 1]!.trim()}'`,
      "it is not 'key = value'",
      "write such as '80 = instance:web:80'",
    );
  }
  for (const { line, section = "ports", key, value } of lines) {
    const fail = failAt(line);
    if (section !== "ports" && section !== "network") {
      fail(`unknown section '${section}'`, "there are two", "write [network] or [ports]");
    }
    if (key === undefined) continue;
    if (section === "network") {
      const first = lineOfKey.get(key);
      if (first !== undefined) {
        fail(`'${key}' is set twice`, `line ${first} sets it too`, "remove one of the two");
      }
      lineOfKey.set(key, line);
      network[readKey(key, value, fail)] = value;
      continue;
    }
    const port = readPort(key, value, fail);
    const other = ports.findIndex((one) => collide(one, port));
    if (other >= 0) {
      fail(
        `port ${key} is published twice`,
        `the instance ${ports[other]!.instance} already has it`,
        "remove one of the two lines, or publish them on two addresses of the host",
      );
    }
    ports.push(port);
  }
  return { network, ports };
}

type Fail = (what: string, why: string, fix: string) => never;

function readKey(key: string, value: string, fail: Fail): HostKey {
  if (!Object.hasOwn(HOST_KEYS, key)) {
    fail(`unknown key '${key}'`, "no setting has that name", `keys are ${keyList()}`);
  }
  const { accepts, expected } = HOST_KEYS[key as HostKey];
  if (!accepts(value)) {
    fail(`cannot use ${key} '${value}'`, "the value is wrong", `give ${expected}`);
  }
  return key as HostKey;
}

function readPort(key: string, value: string, fail: Fail): HostPort {
  const left = /^(?:([0-9.]+):)?([0-9]+)(?:\/(tcp|udp))?$/.exec(key);
  const address = left?.[1] === undefined ? undefined : parseIpv4(left[1]);
  const hostPort = Number(left?.[2]);
  if (left === null || !isPort(hostPort) || (left[1] !== undefined && address === undefined)) {
    fail(
      `cannot read the port '${key}'`,
      "it is not [ADDRESS:]PORT[/tcp|/udp]",
      "write for example '80', '53/udp' or '198.51.100.11:80'; settings belong below [network]",
    );
  }
  const right = /^instance:([^:]+):([0-9]+)$/.exec(value);
  const containerPort = Number(right?.[2]);
  if (right === null || !isContainerName(right[1]!) || !isPort(containerPort)) {
    fail(
      `cannot read '${value}'`,
      "it is not instance:NAME:PORT",
      "write for example 'instance:web:80'",
    );
  }
  const protocol = left![3] === "udp" ? "udp" : "tcp";
  const text = address === undefined ? undefined : formatIpv4(address);
  return {
    address: text,
    hostPort,
    protocol,
    instance: right![1]!,
    containerPort,
    publish: `${text === undefined ? "" : `${text}:`}${hostPort}:${containerPort}/${protocol}`,
  };
}

function collide(a: HostPort, b: HostPort): boolean {
  return a.hostPort === b.hostPort && a.protocol === b.protocol &&
    (a.address === undefined || b.address === undefined || a.address === b.address);
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}

function keyList(): string {
  return Object.keys(HOST_KEYS).join(", ");
}
