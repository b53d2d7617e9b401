import { readTxChecksum, SystemCallError, writeTxChecksum } from "@hpk/core/ffi";
import type { HostLink } from "../pure/host_network.ts";
import type { Resource } from "./resource.ts";

/** What stands for all veths of the host. */
export const EVERY_VETH = "every veth";

/**
 * Who fills in the checksums of what links send: "off" is the kernel, "on" the device. A value is that
 * of a link, or of all veths: "on" where one of them has it on.
 */
export function offloadResource(links: readonly HostLink[]): Resource {
  const membersOf = (id: string): string[] =>
    id === EVERY_VETH ? links.filter(({ kind }) => kind === "veth").map(({ name }) => name) : [id];
  const setAll = (id: string, enabled: boolean): void => {
    for (const name of membersOf(id)) {
      // A container's link may have gone meanwhile.
      const now = readIfThere(name);
      if (now !== undefined && now !== enabled) writeTxChecksum(name, enabled);
    }
  };
  return {
    kind: "offload",
    inspect: (ids) =>
      ids.map((id) => {
        const states = membersOf(id).map(readIfThere);
        // A link that is not there yet will have it on.
        const isOn = id === EVERY_VETH ? states.includes(true) : states[0] !== false;
        return isOn ? "on" : "off";
      }),
    apply: ({ id }) => setAll(id, false),
    remove({ id }) {
      setAll(id, true);
      return undefined;
    },
  };
}

/** Whether a link leaves checksums to its device; undefined where there is no such link. */
function readIfThere(name: string): boolean | undefined {
  try {
    return readTxChecksum(name);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}
