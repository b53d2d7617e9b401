import { mayExecute } from "../ffi/exec.ts";
import { HpkError } from "../model/errors.ts";

/** Where programs are looked for besides PATH: an administrator's PATH may lack sbin. */
const SYSTEM_DIRECTORIES = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/** Where CNI plugins are looked for besides $CNI_PATH. */
const CNI_DIRECTORIES = [
  "/opt/cni/bin",
  "/usr/lib/cni",
  "/usr/libexec/cni",
  "/usr/libexec/apptainer/cni",
  "/usr/local/libexec/apptainer/cni",
  "/usr/lib/apptainer/cni",
];

/** A program that a run needs, and what to install where it is missing. */
export interface Program {
  readonly name: string;
  /** Where to get it: names of packages. */
  readonly fix: string;
  /** Where it is looked for. @param path A PATH; by default that of this process. */
  readonly directories: (path?: string) => readonly string[];
}

const inPath = (path = Deno.env.get("PATH")): string[] => [
  ...trustedDirectories(path),
  ...SYSTEM_DIRECTORIES,
];

const inCniPath = (): string[] => [
  ...trustedDirectories(Deno.env.get("CNI_PATH")),
  ...CNI_DIRECTORIES,
];

/** The directories of a PATH that programs are taken from: root takes none that others can change. */
function trustedDirectories(path = ""): string[] {
  const directories = path.split(":").filter((directory) => directory.startsWith("/"));
  return Deno.uid() === 0 ? directories.filter(isRoots) : directories;
}

/** Permission of everyone to write (inode(7)). */
const S_IWOTH = 0o002;

function isRoots(directory: string): boolean {
  try {
    const { uid, mode } = Deno.statSync(directory);
    return uid === 0 && ((mode ?? 0) & S_IWOTH) === 0;
  } catch {
    return false;
  }
}

/**
 * A program that is looked for in PATH and the system's directories.
 *
 * @param fix What to install where it is missing.
 * @param more Directories in which it is looked for at last.
 */
export function programInPath(name: string, fix: string, more: readonly string[] = []): Program {
  return { name, fix, directories: (path) => [...inPath(path), ...more] };
}

/** The programs that the product builds on. */
export const PROGRAMS = {
  apptainer: {
    name: "apptainer",
    fix: "install Apptainer 1.2 or newer (package apptainer, or https://apptainer.org)",
    directories: inPath,
  },
  ip: { name: "ip", fix: "install iproute2 (package iproute2 or iproute)", directories: inPath },
  iptablesSave: {
    name: "iptables-save",
    fix: "install iptables (package iptables or iptables-nft)",
    directories: inPath,
  },
  iptablesRestore: {
    name: "iptables-restore",
    fix: "install iptables (package iptables or iptables-nft)",
    directories: inPath,
  },
  hostLocal: {
    name: "host-local",
    fix: "install the CNI plugins (package containernetworking-plugins), or set CNI_PATH",
    directories: inCniPath,
  },
  setsid: { name: "setsid", fix: "install util-linux", directories: inPath },
  setpriv: { name: "setpriv", fix: "install util-linux", directories: inPath },
  skopeo: { name: "skopeo", fix: "install skopeo (package skopeo)", directories: inPath },
  umoci: {
    name: "umoci",
    fix: "install umoci (package umoci, or https://umo.ci)",
    directories: inPath,
  },
} as const satisfies Record<string, Program>;

/** What only containers with an IPv6 address need besides. */
export const PROGRAMS6 = {
  ip6tablesSave: {
    name: "ip6tables-save",
    fix: "install iptables (package iptables or iptables-nft)",
    directories: inPath,
  },
  ip6tablesRestore: {
    name: "ip6tables-restore",
    fix: "install iptables (package iptables or iptables-nft)",
    directories: inPath,
  },
} as const satisfies Record<string, Program>;

/** Programs that a start does without where they are missing. */
export const OPTIONAL_PROGRAMS = {
  conntrack: {
    name: "conntrack",
    fix: "install conntrack (package conntrack or conntrack-tools)",
    directories: inPath,
  },
  systemdCat: { name: "systemd-cat", fix: "install systemd", directories: inPath },
  dnsmasq: {
    name: "dnsmasq",
    fix: "install dnsmasq (package dnsmasq-base or dnsmasq)",
    directories: inPath,
  },
} as const satisfies Record<string, Program>;

/** Our own daemon, which only some datapaths need: beside the program itself, or in PATH. */
export const NET_DAEMON: Program = {
  name: "hpk-net-daemon",
  fix: "put it next to hpktainer, or use --datapath veth",
  directories: () => [
    Deno.execPath().replace(/\/[^/]*$/, ""),
    ...inPath(),
  ],
};

/**
 * Finds a program.
 *
 * @param path The PATH of the caller that the program is for. The host's own programs, which serve
 * every caller, are found by the PATH that this process was started with.
 * @return Its absolute path, or undefined.
 */
export function findProgram(program: Program, path?: string): string | undefined {
  if (path !== undefined) return findIn(program, path);
  const known = found.get(program.name);
  if (known !== undefined) return known;
  const place = findIn(program);
  if (place !== undefined) found.set(program.name, place);
  return place;
}

/** Programs found so far, by name: what was found once stays where it is for one run of ours. */
const found = new Map<string, string>();

function findIn(program: Program, path?: string): string | undefined {
  return program.directories(path)
    .map((directory) => `${directory}/${program.name}`)
    .find(isExecutableFile);
}

/**
 * Finds a program that is needed.
 *
 * @param path As for {@linkcode findProgram}.
 * @return Its absolute path.
 * @throws {HpkError} When it is not installed.
 */
export function requireProgram(program: Program, path?: string): string {
  const place = findProgram(program, path);
  if (place === undefined) {
    throw new HpkError({
      what: `cannot find ${program.name}`,
      why: "it is not installed",
      fix: program.fix,
    });
  }
  return place;
}

function isExecutableFile(path: string): boolean {
  // Most are looked for where they are not, and an error costs as much as many calls.
  if (!mayExecute(path)) return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
