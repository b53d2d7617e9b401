/** How the host shall be set up: options, host.ini, what was chosen before, and defaults. */

import { HOST_INI_PATH, HOST_KEYS, type HostIni, type HostKey, HpkError } from "@hpk/core";

/** What is remembered from one run to the next. */
export type Choices = Partial<Readonly<Record<HostKey, string>>>;

/** The word by which an option or a line takes back what was chosen before. */
export const AUTO = "auto";

/** Settings with all that has a default; what is undefined is found out on the host. */
export interface SetupSettings {
  readonly subnet: string | undefined;
  readonly bridge: string;
  /** Name of the CNI network. */
  readonly name: string;
  readonly uplink: string | undefined;
  readonly mtu: number | undefined;
  readonly offload: "own" | "all" | "keep";
  readonly imds: "closed" | "open";
  /** What of them came by options, now or at an earlier apply: to be remembered. */
  readonly chosen: Choices;
}

/**
 * Resolves the settings: an option beats host.ini, which beats what an earlier apply was told, which
 * beats the default. "auto" as an option forgets what was told.
 *
 * @throws {HpkError} When an option's value is wrong.
 */
export function resolveSetup(options: Choices, ini: HostIni, earlier: Choices): SetupSettings {
  const chosen: Partial<Record<HostKey, string>> = {};
  const value = (key: HostKey): string | undefined => {
    const option = options[key];
    if (option !== undefined && option !== AUTO) {
      if (!HOST_KEYS[key].accepts(option)) {
        throw new HpkError({
          what: `cannot use --${key} '${option}'`,
          why: "the value is wrong",
          fix: `give ${HOST_KEYS[key].expected}, or '${AUTO}'`,
        });
      }
      chosen[key] = option;
      return option;
    }
    const remembered = option === AUTO ? undefined : earlier[key];
    if (ini.network[key] !== undefined) return ini.network[key];
    if (remembered !== undefined) chosen[key] = remembered;
    return remembered;
  };
  const mtu = value("mtu");
  return {
    subnet: value("subnet"),
    bridge: value("bridge") ?? "hpk0",
    name: value("name") ?? "hpk",
    uplink: value("uplink"),
    mtu: mtu === undefined ? undefined : Number(mtu),
    offload: (value("offload") ?? "own") as SetupSettings["offload"],
    imds: (value("imds") ?? "closed") as SetupSettings["imds"],
    chosen,
  };
}

/** Where settings stand, for messages. */
export const SETTINGS_PLACE = `as an option or below [network] in ${HOST_INI_PATH}`;
