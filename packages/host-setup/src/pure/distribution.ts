/** Detects the distribution, and knows its names of packages. */

/** How packages are installed. */
export type PackageManager = "apt" | "dnf" | "zypper";

/** The distribution. */
export interface Distribution {
  /** ID of os-release(5), such as "amzn"; "unknown" if there is none. */
  readonly id: string;
  /** PRETTY_NAME, for people. */
  readonly title: string;
  /** Undefined for an unknown distribution. */
  readonly manager: PackageManager | undefined;
}

/** Reads os-release(5). */
export function readDistribution(text: string | undefined): Distribution {
  const fields = new Map<string, string>();
  for (const line of (text ?? "").split(/\r?\n/)) {
    const match = /^\s*([A-Z0-9_]+)=(.*)$/.exec(line);
    if (match === null) continue;
    const value = match[2]!.trim();
    const unquoted = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
    fields.set(match[1]!, unquoted.replace(/\\(["$`\\])/g, "$1"));
  }
  const id = fields.get("ID") ?? "unknown";
  const words = [id, ...(fields.get("ID_LIKE") ?? "").split(/\s+/)];
  return {
    id,
    title: fields.get("PRETTY_NAME") ?? id,
    manager: words.map((word) => MANAGERS[word]).find((manager) => manager !== undefined),
  };
}

const MANAGERS: Readonly<Record<string, PackageManager>> = {
  debian: "apt",
  ubuntu: "apt",
  amzn: "dnf",
  fedora: "dnf",
  rhel: "dnf",
  centos: "dnf",
  rocky: "dnf",
  almalinux: "dnf",
  suse: "zypper",
  opensuse: "zypper",
  sles: "zypper",
};

/** A program that host-setup or hpktainer calls, and the package that provides it. */
export interface Need {
  /** What must be installed: all of these programs, or CNI plugins. */
  readonly programs: readonly string[];
  readonly where: "path" | "cni";
  readonly reason: string;
  /** Names of the package; "" if the distribution has none. */
  readonly packages: Readonly<Record<PackageManager, string>>;
  /** Names for distributions that differ from their family, by ID. */
  readonly except?: Readonly<Record<string, string>>;
}

/** All needs except Apptainer: see {@linkcode APPTAINER}. */
export const NEEDS: readonly Need[] = [
  {
    programs: ["ip"],
    where: "path",
    reason: "hpktainer configures links and addresses with it",
    packages: { apt: "iproute2", dnf: "iproute", zypper: "iproute2" },
  },
  {
    programs: ["iptables-save", "iptables-restore"],
    where: "path",
    reason: "masquerading and published ports are rules of iptables",
    packages: { apt: "iptables", dnf: "iptables-nft", zypper: "iptables" },
  },
  {
    programs: ["ethtool"],
    where: "path",
    reason: "the udev rule turns checksum offload off with it",
    packages: { apt: "ethtool", dnf: "ethtool", zypper: "ethtool" },
  },
  {
    programs: ["nsenter", "setsid"],
    where: "path",
    reason: "hpktainer starts processes with it",
    packages: { apt: "util-linux", dnf: "util-linux", zypper: "util-linux" },
  },
  {
    programs: ["bridge", "host-local", "firewall", "portmap"],
    where: "cni",
    reason: "Apptainer's networks and hpktainer's addresses come from CNI plugins",
    packages: {
      apt: "containernetworking-plugins",
      dnf: "containernetworking-plugins",
      zypper: "cni-plugins",
    },
    except: { amzn: "cni-plugins" },
  },
];

/** Apptainer: if a distribution has no package of it, it is only reported. */
export const APPTAINER: Need = {
  programs: ["apptainer"],
  where: "path",
  reason: "it runs the containers",
  packages: { apt: "", dnf: "", zypper: "apptainer" },
  except: { fedora: "apptainer" },
};

/**
 * The package that provides a need, by this distribution's name.
 *
 * @return Undefined if the distribution is unknown or has none.
 */
export function packageOf(need: Need, { id, manager }: Distribution): string | undefined {
  if (manager === undefined) return undefined;
  return (need.except?.[id] ?? need.packages[manager]) || undefined;
}

/** The command that installs packages without prompting. */
export function installCommand(manager: PackageManager, names: readonly string[]): string[] {
  switch (manager) {
    case "apt":
      return ["apt-get", "-y", "--no-install-recommends", "install", ...names];
    case "dnf":
      return ["dnf", "-y", "install", ...names];
    case "zypper":
      return ["zypper", "--non-interactive", "install", "--no-recommends", ...names];
  }
}

/** The command that removes packages, for messages. */
export function removeCommand(manager: PackageManager, names: readonly string[]): string {
  const program = { apt: "apt-get", dnf: "dnf", zypper: "zypper" }[manager];
  return [program, "remove", ...names].join(" ");
}
