/**
 * How to call the plugins of a CNI configuration (CNI specification 0.4.0, "Network Configuration
 * Lists").
 */

/** The parts of a configuration list that calling it needs. */
export interface CniList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
}

/** A port of the host for the plugin `portmap`. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

/** Standard input of one plugin. */
export function pluginInput(
  list: CniList,
  index: number,
  ports: readonly PortMapping[],
  previous: unknown,
): string {
  const { cniVersion, name } = list;
  const plugin = list.plugins[index]!;
  const { capabilities, ...rest } = plugin;
  const takesPorts = typeof capabilities === "object" && capabilities !== null &&
    "portMappings" in capabilities;
  return JSON.stringify({
    cniVersion,
    name,
    ...rest,
    ...(takesPorts ? { runtimeConfig: { portMappings: ports } } : {}),
    ...(previous === undefined ? {} : { prevResult: previous }),
  });
}

/** The container's address in a plugin's result, without its prefix length. */
export function addressIn(result: unknown): string | undefined {
  const ips = (result as { ips?: { address?: string }[] } | undefined)?.ips;
  return ips?.[0]?.address?.split("/")[0];
}

/**
 * The input of `iptables-restore --noflush` that removes chains that CNI plugins have made and left.
 *
 * @param before The packet filter before the plugins were called, as iptables-save(8) prints it.
 * @param after The same after the last call.
 */
export function removalOfNewCniChains(before: string, after: string): string {
  const chainsOf = (text: string, table: string): string[] => {
    const lines = tableOf(text, table);
    return lines.flatMap((line) => /^:(CNI-\S+)/.exec(line)?.[1] ?? []);
  };
  return ["filter", "nat", "mangle"].map((table) => {
    const known = chainsOf(before, table);
    const fresh = chainsOf(after, table).filter((chain) => !known.includes(chain));
    if (fresh.length === 0) return "";
    const jumps = tableOf(after, table).filter((line) => {
      const words = line.split(" ");
      return words[0] === "-A" && !fresh.includes(words[1]!) &&
        fresh.includes(words[words.lastIndexOf("-j") + 1]!);
    });
    const lines = [
      ...jumps.map((rule) => rule.replace(/^-A/, "-D")),
      ...fresh.map((chain) => `-F ${chain}`),
      ...fresh.map((chain) => `-X ${chain}`),
    ];
    return `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
  }).join("");
}

function tableOf(text: string, table: string): string[] {
  const lines = text.split("\n");
  const start = lines.indexOf(`*${table}`);
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  return rest.slice(0, rest.indexOf("COMMIT"));
}
