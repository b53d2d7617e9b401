/** The wanted kernel modules, and how this kernel provides them. */

/** How a kernel provides a module. */
export type ModuleState = "built in" | "loaded" | "loadable" | "absent";

/** A wanted module, and why. */
export interface WantedModule {
  readonly name: string;
  readonly reason: string;
}

/**
 * The wanted modules. br_netfilter is not among them: it would send the frames of every bridge of
 * the host through the packet filter, even those of virtual machines, and nothing here needs it.
 *
 * @param backend The tables that iptables uses.
 */
export function wantedModules(backend: "nft" | "legacy"): WantedModule[] {
  const filter = "iptables needs it for its rules";
  return [
    { name: "bridge", reason: "containers are ports of a bridge" },
    { name: "veth", reason: "a container's link is a veth pair" },
    { name: "tun", reason: "hpk-net-daemon makes TAP devices" },
    { name: "nf_conntrack", reason: "replies are matched to their connection" },
    ...(backend === "nft"
      ? ["nf_tables", "nft_compat"]
      : ["iptable_filter", "iptable_nat", "iptable_mangle"])
      .map((name) => ({ name, reason: filter })),
  ];
}

/** Contents of the kernel's files, and of its directory below /lib/modules. */
export interface ModuleFacts {
  /** /proc/modules. */
  readonly loaded: string;
  /** modules.builtin; undefined if the kernel's directory does not exist. */
  readonly builtin: string | undefined;
  /** modules.dep; undefined as above. */
  readonly dependencies: string | undefined;
  /** Names below /sys/module. */
  readonly inKernel: readonly string[];
}

/**
 * How the kernel provides a module. Hyphens and underscores are equivalent (modprobe(8)).
 *
 * @return Undefined if that is unknown: the kernel's directory does not exist.
 */
export function moduleState(name: string, facts: ModuleFacts): ModuleState | undefined {
  const plain = (text: string) => text.replaceAll("-", "_");
  const isNamed = (path: string) =>
    plain(/([^/]+?)\.ko(\.\w+)?$/.exec(path)?.[1] ?? "") === plain(name);
  const isHere = facts.inKernel.some((other) => plain(other) === plain(name));
  const isLoadable = facts.dependencies?.split("\n")
    .some((line) => isNamed(line.split(":")[0]!)) ?? false;
  if (facts.loaded.split("\n").some((line) => plain(line.split(" ")[0]!) === plain(name))) {
    return "loaded";
  }
  if (facts.builtin?.split("\n").some(isNamed)) return "built in";
  if (isHere) return isLoadable ? "loaded" : "built in";
  if (facts.dependencies === undefined) return undefined;
  return isLoadable ? "loadable" : "absent";
}
