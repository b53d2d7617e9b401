import { readTxChecksum, SystemCallError, writeTxChecksum } from "@hpk/core/ffi";
import type { HostLink } from "../pure/host_network.ts";
import type { Resource } from "./resource.ts";

/** Stands for all veths of the host. */
const EVERY_VETH = "every veth";

/** How the value of all veths continues if some have it off already: with their names. */
const BUT_OFF = ", off: ";

/**
 * Where the checksums of a link's outgoing packets are computed: "off" is in the kernel, "on" in
 * the device. The value is that of a link, or of all veths: "on" if one of them has it on, and then
 * the names of those that have it off.
 */
export function offloadResource(links: readonly HostLink[]): Resource {
  const veths = () => links.filter(({ kind }) => kind === "veth").map(({ name }) => name);
  const set = (names: readonly string[], enabled: boolean): void => {
    for (const name of names) {
      // A container's link may have gone meanwhile.
      const now = readIfThere(name);
      if (now !== undefined && now !== enabled) writeTxChecksum(name, enabled);
    }
  };
  return {
    kind: "offload",
    inspect: (ids) =>
      ids.map((id) => {
        // A link that does not exist yet will have it on.
        if (id !== EVERY_VETH) return readIfThere(id) === false ? "off" : "on";
        const names = veths();
        const off = names.filter((name) => readIfThere(name) === false);
        if (off.length === names.length) return "off";
        return off.length === 0 ? "on" : `on${BUT_OFF}${off.join(" ")}`;
      }),
    apply: ({ id }) => set(id === EVERY_VETH ? veths() : [id], false),
    remove({ id, prior }) {
      const wereOff = prior?.split(BUT_OFF)[1]?.split(" ") ?? [];
      set(id === EVERY_VETH ? veths().filter((name) => !wereOff.includes(name)) : [id], true);
      return undefined;
    },
  };
}

/** Whether a link offloads checksums; undefined if there is no such link. */
function readIfThere(name: string): boolean | undefined {
  try {
    return readTxChecksum(name);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}
