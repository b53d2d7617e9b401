import { HpkError } from "@hpk/core/errors";
import { isContainerName } from "@hpk/core/names";
import { type Option, optionNamed } from "@hpk/core/options";
import { optionOf, type SettingKey, type SettingRow, SETTINGS } from "@hpk/core/settings-table";

/** The network options of a command line. */
export interface NetworkOptions {
  /** Settings by key, as text. */
  readonly settings: Partial<Record<SettingKey, string>>;
  /** The requested address. */
  readonly ip: string | undefined;
  /** The container's name. */
  readonly name: string | undefined;
}

/** Our options that are not settings. */
const FURTHER_OPTIONS: readonly Option[] = [
  { name: "ip", value: "ADDR", help: "the container's address; default: any free one" },
  { name: "name", value: "NAME", help: "the container's name, also its host name" },
  { name: "host-network", help: "the same as --network host" },
];

/** A table of settings by key. */
type Table = Readonly<Record<string, SettingRow<unknown>>>;

/**
 * Our options for the commands that start a container, from a table of settings.
 *
 * @param dockerLike Whether to include the letters and aliases of Docker's command line.
 */
export function networkOptions(table: Table, dockerLike = false): readonly Option[] {
  const settings = Object.entries(table)
    .flatMap(([key, row]) => optionOf(key, row, dockerLike) ?? []);
  return [...settings, ...FURTHER_OPTIONS];
}

/** Our options for the commands that start a container. */
export const NETWORK_OPTIONS: readonly Option[] = networkOptions(SETTINGS);

/** Finds one of our options by its name without the hyphens; undefined if it is not ours. */
export function networkOption(name: string): Option | undefined {
  return optionNamed(NETWORK_OPTIONS, name);
}

/**
 * Reads our options.
 *
 * @param given Names and values in the order of the command line; the last value of a name counts,
 * but lists add up. A switch has the value "yes", or the text after its "=".
 * @param table The table of settings.
 * @throws {HpkError} On an empty value or an invalid name.
 */
export function readNetworkOptions(
  given: readonly (readonly [string, string])[],
  table: Table = SETTINGS,
): NetworkOptions {
  const values = new Map<string, string>();
  const options = networkOptions(table);
  for (const [name, value] of given) {
    if (value === "") {
      throw new HpkError({
        what: `cannot use --${name}`,
        why: "its value is empty",
        fix: "give one",
      });
    }
    const before = values.get(name);
    const isList = optionNamed(options, name)?.many === true;
    values.set(name, isList && before !== undefined ? `${before},${value}` : value);
  }
  const name = values.get("name");
  if (name !== undefined) checkContainerName(name);
  const settings: Record<string, string> = {};
  for (const [key, row] of Object.entries(table)) {
    const value = values.get(optionOf(key, row)?.name ?? "");
    if (value !== undefined) {
      settings[key] = row.option?.negated ? OPPOSITE.get(value) ?? value : value;
    }
  }
  if (isHostNetwork(values.get("host-network"))) settings["network"] = "host";
  return { settings, ip: values.get("ip"), name };
}

function isHostNetwork(value: string | undefined): boolean {
  if (value === undefined || value === "yes" || value === "no") return value === "yes";
  throw new HpkError({
    what: "cannot use --host-network",
    why: `'${value}' is neither yes nor no`,
    fix: "write it without a value",
  });
}

const OPPOSITE = new Map([["yes", "no"], ["no", "yes"]]);

/**
 * Checks a container's name.
 *
 * @throws {HpkError} When it is invalid.
 */
export function checkContainerName(name: string): void {
  if (!isContainerName(name)) {
    throw new HpkError({
      what: `cannot name a container '${name}'`,
      why:
        "a name has at most 63 letters, digits, hyphens, dots and underscores and begins with a letter or digit",
      fix: "choose another name",
    });
  }
}
