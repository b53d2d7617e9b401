import { HpkError } from "./errors.ts";
import { readIniLines } from "./ini_lines.ts";
import {
  optionOf,
  type SettingKey,
  type SettingRow,
  SETTINGS,
  type Settings,
  variableOf,
} from "./settings_table.ts";

/** Where the configuration file lies, unless HPK_CONFIG names another. */
export const CONFIG_PATH = "/etc/hpktainer/config.ini";

/** A setting as text and where it came from. */
export interface SettingSource {
  /** Its name, as in the configuration file. */
  readonly key: SettingKey;
  /** The value, or the empty string where nothing is set. */
  readonly value: string;
  /** "option --mtu", "environment HPK_MTU", "/etc/hpktainer/config.ini:3" or "default". */
  readonly origin: string;
}

/** A table of settings by their keys. */
export type SettingTable = Readonly<Record<string, SettingRow<unknown>>>;

/** Where settings are read from, weakest first: file, environment, command line. */
export interface SettingInputs {
  /** The configuration file; undefined where there is none. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
  /** The environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options of the command line by key; a list is joined by commas. */
  readonly options: Partial<Readonly<Record<SettingKey, string>>>;
}

/** Settings, each with its origin. */
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly sources: readonly SettingSource[];
}

/**
 * Resolves every setting: an option beats the environment, which beats the file, which beats the
 * default.
 *
 * @param table The settings that there are.
 * @throws {HpkError} On a wrong key or value, naming the file and line, variable or option.
 */
export function resolveSettings(
  inputs: SettingInputs,
  table: SettingTable = SETTINGS,
): ResolvedSettings {
  const file = inputs.file === undefined ? new Map() : readConfigFile(inputs.file, table);
  const sources = (Object.keys(table) as SettingKey[]).map((key): SettingSource => {
    const variable = variableOf(key);
    const option = optionOf(key, table[key]!)?.name ?? key;
    const found = [
      { value: inputs.options[key], origin: `option --${option}` },
      { value: inputs.environment[variable], origin: `environment ${variable}` },
      file.get(key) ?? { value: undefined, origin: "" },
    ].find(({ value }) => value !== undefined && value !== "");
    if (found === undefined) return { key, value: table[key]!.fallback, origin: "default" };
    return { key, value: found.value!, origin: found.origin };
  });
  return { settings: toSettings(table, sources) as unknown as Settings, sources };
}

/** Reads every value by its row, into members that are called by the keys in camel case. */
function toSettings(
  table: SettingTable,
  sources: readonly SettingSource[],
): Record<string, unknown> {
  return Object.fromEntries(sources.map(({ key, value, origin }) => {
    const { optional, read, expected } = table[key]!;
    const member = key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    if (value === "" && optional) return [member, undefined];
    const setting = read(value);
    if (setting !== undefined) return [member, setting];
    throw new HpkError({
      what: `${origin}: cannot use ${key} '${value}'`,
      why: "the value is wrong",
      fix: `give ${expected}`,
    });
  }));
}

/** The one section of the configuration file. */
const SECTION = "network";

function readConfigFile(
  file: { readonly path: string; readonly text: string },
  table: SettingTable,
): Map<string, { value: string; origin: string }> {
  const fail = (line: number, what: string, why: string, fix: string): never => {
    throw new HpkError({ what: `${file.path}:${line}: ${what}`, why, fix });
  };
  const keys = `keys are ${Object.keys(table).join(", ")}`;
  const lines = readIniLines(file.text);
  if ("line" in lines) {
    return fail(
      lines.line,
      "cannot read this line",
      "it is not INI",
      "write 'key = value' or '[network]'",
    );
  }
  const found = new Map<string, { value: string; origin: string }>();
  for (const { line, section, key, value } of lines) {
    if (section !== SECTION) {
      const unknown = section === undefined ? `key '${key}'` : `section '${section}'`;
      fail(line, `unknown ${unknown}`, "keys stand in the section [network]", keys);
    }
    if (key === undefined) continue;
    if (!Object.hasOwn(table, key)) {
      fail(line, `unknown key '${key}'`, "no setting has that name", keys);
    }
    found.set(key, { value, origin: `${file.path}:${line}` });
  }
  return found;
}
