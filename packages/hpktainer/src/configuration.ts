import { CONFIG_PATH, type ResolvedSettings, resolveSettings, type SettingKey } from "@hpk/core";
import { readFileIfExists } from "@hpk/core/os";

/**
 * Reads the settings from the configuration file, the environment and options.
 *
 * @param options Options of the command line by key.
 * @throws {HpkError} On a wrong key or value.
 */
export function readConfiguration(options: Partial<Record<SettingKey, string>>): ResolvedSettings {
  const environment = Deno.env.toObject();
  const path = environment["HPK_CONFIG"] || CONFIG_PATH;
  const text = readFileIfExists(path);
  return resolveSettings({
    file: text === undefined ? undefined : { path, text },
    environment,
    options,
  });
}
