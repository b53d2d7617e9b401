import { ipBatch, readBridgePorts } from "@hpk/core/os";
import type { HostLink } from "../pure/host_network.ts";
import type { Resource } from "./resource.ts";

/** Properties of the bridge. */
export interface BridgeShape {
  /** Ethernet address. */
  readonly mac: string;
  /** MTU in bytes. */
  readonly mtu: number;
  /** Whether it may be promiscuous: the CNI plugin sets that according to its configuration. */
  readonly mayBePromiscuous: boolean;
}

/**
 * The bridge of the network for Apptainer; its value is the kind of the link. The CNI plugin would
 * create it with the first container; it is created earlier, so that checksum offload is off from
 * the beginning. Address and promiscuous mode are up to the plugin.
 */
export function bridgeResource(links: readonly HostLink[], shape: BridgeShape): Resource {
  return {
    kind: "bridge",
    inspect: (names) =>
      names.map((name) => {
        const link = links.find((one) => one.name === name);
        if (link === undefined) return null;
        const isWrong = link.promiscuous && !shape.mayBePromiscuous;
        return isWrong ? `promiscuous ${link.kind}` : link.kind ?? "hardware";
      }),
    apply: ({ id: name, old }) =>
      ipBatch([
        old === null
          ? `link add name ${name} address ${shape.mac} mtu ${shape.mtu} type bridge`
          : `link set dev ${name} promisc off`,
      ]),
    async remove({ id: name, prior }) {
      if (prior !== null) return undefined;
      const ports = await readBridgePorts(name);
      if (ports.length > 0) {
        return `containers are on it (${ports.join(", ")}); run --undo again when they are gone`;
      }
      await ipBatch([`link delete dev ${name}`]);
      return undefined;
    },
  };
}
