import { CONFIG_PATH, type ResolvedSettings, resolveSettings, type SettingKey } from "@hpk/core";
import { readFileIfExists } from "@hpk/core/os";
import { absolutePath, type Caller } from "../shared/pure/caller.ts";

/**
 * Reads the settings from the configuration file, the caller's environment and the options.
 *
 * @param options Command-line options by key.
 * @throws {HpkError} On an invalid key or value.
 */
export function readConfiguration(
  caller: Caller,
  options: Partial<Record<SettingKey, string>>,
): ResolvedSettings {
  const { environment } = caller;
  const path = environment["HPK_CONFIG"] || CONFIG_PATH;
  const text = readFileIfExists(absolutePath(caller, path));
  return resolveSettings({
    file: text === undefined ? undefined : { path, text },
    environment,
    options,
  });
}
