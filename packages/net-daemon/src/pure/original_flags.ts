import { HpkError, isInterfaceName, parseIpv4 } from "@hpk/core";

/** A relay of one session, as requested by the original's command line. */
export interface StandaloneOptions {
  readonly mode: "server" | "client";
  /** Path of the socket. */
  readonly socket: string;
  /** Name of the TAP. */
  readonly tap: string;
  /** Whether to create the TAP if it does not exist. */
  readonly createTap: boolean;
  /** MTU in bytes to set; undefined to keep the TAP's own. */
  readonly mtu: number | undefined;
  /** Whether segmentation offload may be agreed on. */
  readonly offload: boolean;
  /** The peer's addresses, to check the source of its frames; undefined to let all pass. */
  readonly mac: string | undefined;
  readonly address: number | undefined;
  /** Descriptor to write "ready" to, and to close, once the TAP exists. */
  readonly readyFd: number | undefined;
  /** Process to end together with. */
  readonly exitWith: number | undefined;
  /** Whether to print only failures. */
  readonly quiet: boolean;
}

/** Flags with a value, and those without one. */
const VALUES = ["mode", "socket", "tap", "mtu", "offload", "mac", "ip", "ready-fd", "exit-with"];
const SWITCHES = ["create-tap", "quiet"];

/** Whether a command line is the original's: only flags, no command. */
export function isOriginalCommandLine(argv: readonly string[]): boolean {
  return argv.some((word) => /^--?(mode|socket|tap|create-tap)(=|$)/.test(word));
}

/**
 * Reads the original's command line: Go's flags, with one or two hyphens, "-name value" or
 * "-name=value".
 *
 * @throws {HpkError} If it is wrong.
 */
export function readOriginalFlags(argv: readonly string[]): StandaloneOptions {
  const values = readFlags(argv);
  const { mode } = values;
  if (mode !== "server" && mode !== "client") fail("-mode", mode ?? "", "give server or client");
  const socket = values["socket"] ?? "";
  if (socket === "") fail("-socket", socket, "give the path of a socket");
  const tap = values["tap"] ?? "tap0";
  if (!isInterfaceName(tap) || tap.includes("%")) fail("-tap", tap, "give an interface name");
  const mtu = values["mtu"];
  if (mtu !== undefined && !(/^[0-9]{2,5}$/.test(mtu) && +mtu >= 68 && +mtu <= 65535)) {
    fail("-mtu", mtu, "give a number of bytes from 68 to 65535");
  }
  const offload = values["offload"] ?? "on";
  if (offload !== "on" && offload !== "off") fail("-offload", offload, "give on or off");
  const { mac, ip } = values;
  if (mac !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) {
    fail("-mac", mac, "give an Ethernet address");
  }
  const address = ip === undefined ? undefined : parseIpv4(ip);
  if (ip !== undefined && address === undefined) fail("-ip", ip, "give an IPv4 address");
  if (ip !== undefined && mac === undefined) fail("-ip", ip, "give -mac too");
  return {
    mode: mode as StandaloneOptions["mode"],
    socket,
    tap,
    createTap: values["create-tap"] === "true",
    mtu: mtu === undefined ? undefined : Number(mtu),
    offload: offload === "on",
    mac,
    address,
    readyFd: readNumber(values, "ready-fd"),
    exitWith: readNumber(values, "exit-with"),
    quiet: values["quiet"] === "true",
  };
}

function readNumber(values: Record<string, string>, name: string): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(value)) fail(`-${name}`, value, "give a number");
  return Number(value);
}

function readFlags(argv: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const match = /^--?([a-z-]+)(?:=(.*))?$/s.exec(word);
    const name = match?.[1] ?? "";
    if (SWITCHES.includes(name)) values[name] = match?.[2] ?? "true";
    else if (VALUES.includes(name)) {
      const value = match?.[2] ?? argv[++index];
      if (value === undefined) fail(word, "", "give it a value");
      values[name] = value!;
    } else fail(word, "", "see hpk-net-daemon --help");
  }
  return values;
}

function fail(flag: string, value: string, fix: string): never {
  throw new HpkError({
    what: `cannot use ${flag}${value === "" ? "" : ` '${value}'`}`,
    why: "the command line is wrong",
    fix,
  });
}
