/** Which kernel modules are wanted, and which of them this kernel has, and how. */

/** How a kernel has a module. */
export type ModuleState = "built in" | "loaded" | "loadable" | "absent";

/** A module that is wanted, and why. */
export interface WantedModule {
  readonly name: string;
  readonly reason: string;
}

/**
 * The modules that are wanted. br_netfilter is not among them: it would send the frames of every bridge
 * of the host through the packet filter, also those of virtual machines, and nothing here needs it.
 *
 * @param backend Which tables iptables writes to.
 */
export function wantedModules(backend: "nft" | "legacy"): WantedModule[] {
  const filter = "iptables writes its rules to it";
  return [
    { name: "bridge", reason: "containers are ports of a bridge" },
    { name: "veth", reason: "a container's link is a veth pair" },
    { name: "tun", reason: "hpk-net-daemon makes TAP devices" },
    { name: "nf_conntrack", reason: "answers are known by their connection" },
    ...(backend === "nft"
      ? ["nf_tables", "nft_compat"]
      : ["iptable_filter", "iptable_nat", "iptable_mangle"])
      .map((name) => ({ name, reason: filter })),
  ];
}

/** What the kernel and its directory below /lib/modules say. */
export interface ModuleFacts {
  /** /proc/modules. */
  readonly loaded: string;
  /** modules.builtin; undefined where the kernel's directory is not there. */
  readonly builtin: string | undefined;
  /** modules.dep; undefined as above. */
  readonly dependencies: string | undefined;
  /** Names below /sys/module. */
  readonly inKernel: readonly string[];
}

/**
 * How the kernel has a module. Hyphens and underscores are the same (modprobe(8)).
 *
 * @return undefined where that cannot be known: the kernel's directory is not there.
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
