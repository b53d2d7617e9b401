import { type Option, type OptionScan, scanOptions } from "@hpk/core/options";
import { SETTINGS } from "@hpk/core/settings-table";
import { HpkError } from "@hpk/core";
import {
  NETWORK_OPTIONS,
  type NetworkOptions,
  networkOptions,
  readNetworkOptions,
} from "../../arguments/network_options.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type ReadOptionFile, readVariable, readVariableFile } from "./environment.ts";
import { RUN_FLAGS } from "./flag_table.ts";
import { type Limits, readLimits } from "./limits.ts";
import { readSecurity, type Security } from "./security.ts";
import { type PullPolicy, readPullPolicy } from "../../images/pure/pull_policy.ts";
import { readInteger, readSize } from "./sizes.ts";
import { checkTargets, readMount, readTmpfs, readVolume, type VolumeRequest } from "./volumes.ts";

/** The options of a container. They are stored, so that it can be started again. */
export interface RunOptions {
  readonly interactive: boolean;
  readonly terminal: boolean;
  readonly detach: boolean;
  /** Whether it is removed when it ends. */
  readonly remove: boolean;
  readonly init: boolean;
  readonly readOnly: boolean;
  /** Whether signals are forwarded to it. */
  readonly forwardSignals: boolean;
  readonly debug: boolean;
  /** `NAME=value`, or `NAME` to remove the image's. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly VolumeRequest[];
  /** USER[:GROUP]; undefined for the image's. */
  readonly user: string | undefined;
  readonly groups: readonly string[];
  readonly workingDirectory: string | undefined;
  /** Undefined for the image's; empty for none. */
  readonly entrypoint: string | undefined;
  readonly hostname: string | undefined;
  /** Lines for /etc/hosts: address and name. */
  readonly extraHosts: readonly (readonly [address: string, name: string])[];
  readonly limits: Limits;
  readonly security: Security;
  /** `SRC[:DST[:rwm]]`. */
  readonly devices: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Size of /dev/shm in bytes. */
  readonly sharedMemory: number;
  readonly hostProcesses: boolean;
  readonly hostIpc: boolean;
  /** Undefined for the image's. */
  readonly stopSignal: string | undefined;
  /** Seconds. */
  readonly stopTimeout: number | undefined;
  readonly detachKeys: string | undefined;
  readonly cidFile: string | undefined;
  readonly pull: PullPolicy;
  readonly platform: string | undefined;
  readonly authFile: string | undefined;
  readonly quiet: boolean;
  /** Whether every port that the image exposes is published, on a free host port. */
  readonly publishAll: boolean;
  readonly network: NetworkOptions;
}

/** A command line of `run` or `create`. */
export interface RunRequest {
  readonly options: RunOptions;
  /** Name of the runtime; undefined for the caller's default. */
  readonly runtime: string | undefined;
  /** The image as the user named it. */
  readonly image: string;
  /** The arguments after the image. */
  readonly args: readonly string[];
}

/** Docker's default size of /dev/shm, in bytes. */
const DEFAULT_SHARED_MEMORY = 64 * 1024 * 1024;

/** Docker's names of the default network, which is ours. */
const DEFAULT_NETWORKS = ["default", "bridge"];

/** All options of `run`. */
export const ALL_RUN_FLAGS: readonly Option[] = [...RUN_FLAGS, ...networkOptions(SETTINGS, true)];

/**
 * Reads the arguments of `run` or `create`.
 *
 * @param command "hpktainer run" or the like, for messages.
 * @param caller The caller, whose variables `--env NAME` passes on.
 * @param readFile Reads a file named by an option.
 * @return Undefined for --help.
 * @throws {HpkError} When the arguments are invalid.
 */
export function readRun(
  words: readonly string[],
  command: string,
  caller: Pick<Caller, "environment">,
  readFile: ReadOptionFile,
): RunRequest | undefined {
  const scan = scanOptions(words, ALL_RUN_FLAGS, { command });
  if (scan.values.has("help")) return undefined;
  const [image, ...args] = scan.operands;
  if (image === undefined || image === "") {
    throw new HpkError({
      what: `cannot run '${command}'`,
      why: "no image is named",
      fix: `write ${command} [OPTIONS] IMAGE [COMMAND] [ARG...]`,
    });
  }
  // A created container must not be removed before it is started.
  const isKept = command.endsWith("create");
  const options = readOptions(scan, caller.environment, readFile, isKept);
  return { options, runtime: scan.values.get("runtime")?.at(-1), image, args };
}

function readOptions(
  scan: OptionScan,
  environment: Caller["environment"],
  readFile: ReadOptionFile,
  isKept: boolean,
): RunOptions {
  const { one, all, isOn } = accessors(scan);
  const detach = isOn("detach");
  const stopTimeout = one("stop-timeout");
  const shm = one("shm-size");
  const fromFiles = (name: string): string[] =>
    all(name).flatMap((path) => readVariableFile(path, readFile(`--${name}`, path), environment));
  return {
    interactive: isOn("interactive"),
    terminal: isOn("tty"),
    detach,
    remove: isOn("rm", !detach && !isKept),
    init: isOn("init"),
    readOnly: isOn("read-only"),
    forwardSignals: isOn("sig-proxy", true),
    debug: isOn("crun-debug"),
    environment: [
      ...fromFiles("env-file"),
      ...all("env").map((text) => readVariable(text, environment)),
    ],
    labels: Object.fromEntries(
      [...fromFiles("label-file"), ...all("label")].map((text) => splitOnce(text, "=")),
    ),
    volumes: checkTargets([
      ...all("volume").map(readVolume),
      ...all("mount").map(readMount),
      ...all("tmpfs").map(readTmpfs),
    ]),
    user: one("user"),
    groups: all("group-add"),
    workingDirectory: absolute("-w", one("workdir")),
    entrypoint: one("entrypoint"),
    hostname: hostName(one("hostname")),
    extraHosts: all("add-host").map(readHostEntry),
    limits: readLimits(one, all),
    security: readSecurity(isOn("privileged"), all, readFile),
    devices: all("device"),
    sysctls: Object.fromEntries(all("sysctl").map((text) => splitOnce(text, "="))),
    sharedMemory: shm === undefined ? DEFAULT_SHARED_MEMORY : readSize("--shm-size", shm),
    hostProcesses: shared("pid", one("pid")),
    hostIpc: shared("ipc", one("ipc")),
    stopSignal: one("stop-signal"),
    stopTimeout: stopTimeout === undefined
      ? undefined
      : readInteger("--stop-timeout", stopTimeout, 0, 86_400),
    detachKeys: one("detach-keys"),
    cidFile: one("cidfile"),
    pull: readPullPolicy("--pull", one("pull") ?? "missing"),
    platform: one("platform"),
    authFile: one("authfile"),
    quiet: isOn("quiet"),
    publishAll: isOn("publish-all"),
    network: readNetwork(scan),
  };
}

interface Accessors {
  /** Returns the last value of an option. */
  readonly one: (name: string) => string | undefined;
  /** Returns every value of an option. */
  readonly all: (name: string) => readonly string[];
  readonly isOn: (name: string, fallback?: boolean) => boolean;
}

function accessors(scan: OptionScan): Accessors {
  const all = (name: string) => scan.values.get(name) ?? [];
  const one = (name: string) => all(name).at(-1);
  return { all, one, isOn: (name, fallback = false) => (one(name) ?? String(fallback)) === "true" };
}

function readNetwork(scan: OptionScan): NetworkOptions {
  const given = NETWORK_OPTIONS.flatMap(({ name, value: placeholder }) =>
    (scan.values.get(name) ?? []).map((value): [string, string] => {
      if (placeholder === undefined) return [name, value === "true" ? "yes" : "no"];
      // A container port alone is published on a free host port, as with Docker.
      return [name, name === "publish" && /^[0-9]/.test(value) ? anyHostPort(value) : value];
    })
  );
  const [container] = given.filter(([name, value]) =>
    name === "network" && value.startsWith("container:")
  );
  if (container !== undefined) {
    throw new HpkError({
      what: `cannot use --network ${container[1]}`,
      why: "containers cannot share a network",
      fix: "use flannel, static, host or none",
    });
  }
  return readNetworkOptions(
    given.filter(([name, value]) => name !== "network" || !DEFAULT_NETWORKS.includes(value)),
  );
}

function anyHostPort(text: string): string {
  return text.includes(":") ? text : `0:${text}`;
}

function shared(name: string, value: string | undefined): boolean {
  if (value === undefined || value === "private" || value === "") return false;
  if (value === "host") return true;
  throw new HpkError({
    what: `cannot use --${name} ${value}`,
    why: "a container uses the host's or its own",
    fix: `use --${name} host, or leave it out`,
  });
}

function absolute(option: string, path: string | undefined): string | undefined {
  if (path === undefined || path.startsWith("/")) return path;
  throw new HpkError({
    what: `cannot use ${option} '${path}'`,
    why: "the path in the container is not absolute",
    fix: "begin it with /",
  });
}

function hostName(name: string | undefined): string | undefined {
  if (name === undefined || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(name)) {
    return name;
  }
  throw new HpkError({
    what: `cannot use the host name '${name}'`,
    why: "a host name has at most 64 letters, digits, hyphens and dots",
    fix: "choose another",
  });
}

function readHostEntry(text: string): readonly [string, string] {
  // Names do not contain colons; IPv6 addresses do.
  const [name, address] = splitOnce(text, text.includes("=") ? "=" : ":");
  if (/^[^\s#]+$/.test(name) && /^[0-9A-Fa-f.:]+$/.test(address)) return [address, name];
  throw new HpkError({
    what: `cannot use --add-host '${text}'`,
    why: "it is not a name and an address",
    fix: "write NAME:ADDRESS",
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
