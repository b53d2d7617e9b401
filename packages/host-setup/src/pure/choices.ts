/** Resolves the settings of a host: options, host.ini, earlier choices, and defaults. */

import { HOST_KEYS, type HostIni, type HostKey, HpkError } from "@hpk/core";

/** Choices that are kept from one run to the next. */
export type Choices = Partial<Readonly<Record<HostKey, string>>>;

/** The value with which an option or a line drops an earlier choice. */
const AUTO = "auto";

/** Settings with defaults; undefined values are detected on the host. */
export interface SetupSettings {
  readonly subnet: string | undefined;
  readonly bridge: string;
  /** Name of the CNI network. */
  readonly name: string;
  readonly uplink: string | undefined;
  readonly mtu: number | undefined;
  readonly offload: "own" | "all" | "keep";
  readonly imds: "closed" | "open";
  /** The values that came from options, now or at an earlier apply: to be kept. */
  readonly chosen: Choices;
}

/**
 * Resolves the settings: an option overrides host.ini, which overrides the options of an earlier
 * apply, which override the default. "auto" as an option drops the earlier one.
 *
 * @throws {HpkError} If an option's value is wrong.
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
