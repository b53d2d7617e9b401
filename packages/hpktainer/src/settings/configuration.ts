import { CONFIG_PATH, type ResolvedSettings, resolveSettings, type SettingKey } from "@hpk/core";
import { readFileIfExists } from "@hpk/core/os";

/**
 * Reads the settings from the configuration file, the environment and options.
 *
 * @param options Options of the command line by key.
 * @param environment Whose environment; this process's by default.
 * @throws {HpkError} On a wrong key or value.
 */
export function readConfiguration(
  options: Partial<Record<SettingKey, string>>,
  environment: Readonly<Record<string, string>> = Deno.env.toObject(),
): ResolvedSettings {
  const path = environment["HPK_CONFIG"] || CONFIG_PATH;
  const text = readFileIfExists(path);
  return resolveSettings({
    file: text === undefined ? undefined : { path, text },
    environment,
    options,
  });
}
