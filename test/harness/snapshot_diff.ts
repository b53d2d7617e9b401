/** Compares two snapshots of a host. Pure. */

/** The parts of a snapshot, each a list of lines that identify themselves. */
export const SECTIONS = [
  "links",
  "addresses",
  "routes",
  "rules",
  "namespaces",
  "firewall4",
  "firewall6",
  "mounts",
  "files",
  "processes",
  "sysctls",
] as const;

/** The name of a part of a snapshot. */
export type Section = typeof SECTIONS[number];

/** A host's state: per section its lines, sorted except where the order itself is state (the firewall). */
export type Snapshot = Readonly<Record<Section, readonly string[]>>;

/**
 * Every difference as a line: `links + eth1 mtu=1500`, `links - eth1 mtu=1400`, or `firewall4: same lines, other order`.
 * Empty when the snapshots are the same.
 */
export function diffSnapshots(before: Snapshot, after: Snapshot): string[] {
  return SECTIONS.flatMap((section) => {
    const gone = without(before[section], after[section]).map((line) => `${section} - ${line}`);
    const come = without(after[section], before[section]).map((line) => `${section} + ${line}`);
    if (gone.length + come.length > 0) return [...gone, ...come];
    const moved = before[section].some((line, index) => line !== after[section][index]);
    return moved ? [`${section}: same lines, other order`] : [];
  });
}

/** The lines of `all` that are not in `others`; duplicates count separately. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return all.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
}
