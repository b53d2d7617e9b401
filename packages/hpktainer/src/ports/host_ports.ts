/** Host ports that host.ini publishes for instances. */

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
 * Adds the ports that host.ini publishes for an instance. Where the settings publish the same host
 * port, they win.
 *
 * @param name The instance's name; undefined for a container that is not an instance.
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
