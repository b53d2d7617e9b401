/** Turns the output of tools into lines that are equal exactly if the state is. Pure. */

/**
 * Lines of `ip -json` output (one JSON array per line; several may follow each other): one line per
 * field, `KEY field=value`, where KEY consists of the object's `keys`. With `list`, the objects in
 * that field become the lines, each with its parent's keys. Text that is not JSON (an error
 * message) is kept line by line.
 */
export function normalizeIpJson(text: string, keys: readonly string[], list?: string): string[] {
  return text.split("\n").filter((line) => line !== "").flatMap((line) => {
    const parsed = parseArray(line);
    if (parsed === undefined) return [line];
    // `ip -j` prints empty objects for entries that its filter left out.
    const objects = parsed.filter((object) => Object.keys(object).length > 0);
    const items = list === undefined
      ? objects
      : objects.flatMap((object) =>
        entries(object[list]).map((item) => ({ ...pick(object, keys), ...item }))
      );
    return items.flatMap((item) => {
      const key = keys.filter((name) => name in item).map((name) => String(item[name])).join(" ");
      const fields = flatten(item).filter(([name]) => !keys.includes(name));
      return fields.length === 0
        ? [key]
        : [`${key} ${fields.map(([name, value]) => `${name}=${value}`).join(" ")}`];
    });
  }).sort();
}

/**
 * Lines of `iptables-save`: `TABLE rule`, in order, without comments, counters and built-in chains
 * that accept. So a table without rules equals no table: the nft variant creates such tables when
 * rules are only listed.
 */
export function normalizeFirewall(text: string): string[] {
  let table = "";
  return text.split("\n").flatMap((raw) => {
    const line = raw.replaceAll(/\[\d+:\d+\]/g, "").trim();
    if (line.startsWith("*")) table = `${line.slice(1)} `;
    const isState = !/^($|#|\*|COMMIT$|:[A-Z]+ ACCEPT$)/.test(line);
    return isState ? [table + line] : [];
  });
}

/**
 * Lines of a mountinfo file: mount point, root, type, source, and options, without ids of mounts, devices and peer groups.
 * `/run/netns` mounted on itself is left out: the first `ip netns add` makes that mount, and nothing removes it.
 */
export function normalizeMounts(text: string): string[] {
  return text.split("\n").filter((line) => line !== "").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , root, mountPoint, options, ...propagation] = left.split(" ");
    const [type, source] = right.split(" ");
    if (mountPoint === "/run/netns" && type === "tmpfs") return [];
    const shown = root?.startsWith("net:[") ? "net" : root;
    const kinds = propagation.map((field) => field.replace(/:\d+$/, ""));
    return [[mountPoint, shown, type, source, options, ...kinds].join(" ")];
  }).sort();
}

type Fields = Record<string, unknown>;

/** Indices, timers and ids that differ between two states a user would call the same. */
const VOLATILE =
  /(^|\.)(ifindex|link_index|link_netnsid|\w+_timer|\w+_life_time|tentative|cacheinfo|expires|\w*port_id|\w*port_no)$/;

function flatten(object: Fields, prefix = ""): [string, string][] {
  return Object.entries(object).flatMap(([name, value]): [string, string][] => {
    const path = prefix + name;
    if (VOLATILE.test(path)) return [];
    if (isFields(value)) return flatten(value, `${path}.`);
    return [[path, JSON.stringify(value)]];
  });
}

function parseArray(line: string): Fields[] | undefined {
  try {
    return entries(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function entries(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pick(object: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.filter((name) => name in object).map((name) => [name, object[name]]),
  );
}
