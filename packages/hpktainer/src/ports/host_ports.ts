/** Ports that the host's own file, host.ini, leads to instances. */

import { claimMeets } from "./pure/port_claims.ts";
import {
  HOST_INI_PATH,
  parseHostIni,
  parsePublish,
  type PublishedPort,
  type Settings,
} from "@hpk/core";
import { readFileIfExists } from "@hpk/core/os";

/**
 * Adds the ports that host.ini leads to an instance. One that the settings publish as well is theirs.
 *
 * @param name The instance's name; undefined for a container that is none.
 * @throws {HpkError} On a wrong line of the file, naming it.
 */
export function withHostPorts(settings: Settings, name: string | undefined): Settings {
  const text = name === undefined ? undefined : readFileIfExists(HOST_INI_PATH);
  if (text === undefined) return settings;
  const own = parseHostIni(text).ports.filter((port) => port.instance === name)
    .map((port): PublishedPort => parsePublish(port.publish)!)
    .filter((port) => !settings.publish.some((other) => claimMeets(other, port)));
  return own.length === 0 ? settings : { ...settings, publish: [...settings.publish, ...own] };
}
