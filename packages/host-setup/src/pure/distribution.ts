/** What distribution this is, and what its packages are called. */

/** How packages are installed. */
export type PackageManager = "apt" | "dnf" | "zypper";

/** The distribution. */
export interface Distribution {
  /** ID of os-release(5), such as "amzn"; "unknown" where there is none. */
  readonly id: string;
  /** PRETTY_NAME, for people. */
  readonly title: string;
  /** undefined for a distribution that we do not know. */
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

/** What host-setup and hpktainer call, and what brings it. */
export interface Need {
  /** What is looked for: programs, of which all must be there, or CNI plugins. */
  readonly programs: readonly string[];
  readonly where: "path" | "cni";
  readonly reason: string;
  /** Names of the package; "" where the distribution has none. */
  readonly packages: Readonly<Record<PackageManager, string>>;
  /** Names for distributions that differ from their family, by ID. */
  readonly except?: Readonly<Record<string, string>>;
}

/** Everything that is needed, Apptainer apart: see {@linkcode APPTAINER}. */
export const NEEDS: readonly Need[] = [
  {
    programs: ["ip"],
    where: "path",
    reason: "hpktainer makes links and addresses with it",
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
    reason: "Apptainer's networks and hpktainer's addresses are made by CNI plugins",
    packages: {
      apt: "containernetworking-plugins",
      dnf: "containernetworking-plugins",
      zypper: "cni-plugins",
    },
    except: { amzn: "cni-plugins" },
  },
];

/** Apptainer: where a distribution has no package of it, it is only named. */
export const APPTAINER: Need = {
  programs: ["apptainer"],
  where: "path",
  reason: "it runs the containers",
  packages: { apt: "", dnf: "", zypper: "apptainer" },
  except: { fedora: "apptainer" },
};

/**
 * The package that brings a need, by this distribution's name.
 *
 * @return undefined where the distribution is unknown or has none.
 */
export function packageOf(need: Need, { id, manager }: Distribution): string | undefined {
  if (manager === undefined) return undefined;
  return (need.except?.[id] ?? need.packages[manager]) || undefined;
}

/** The command that installs packages without asking. */
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

/** The command that removes packages, for people. */
export function removeCommand(manager: PackageManager, names: readonly string[]): string {
  const program = { apt: "apt-get", dnf: "dnf", zypper: "zypper" }[manager];
  return [program, "remove", ...names].join(" ");
}
