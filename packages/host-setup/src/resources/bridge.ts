import { ipBatch, readBridgePorts } from "@hpk/core/os";
import type { HostLink } from "../pure/host_network.ts";
import type { Resource } from "./resource.ts";

/** What the bridge is made with. */
export interface BridgeShape {
  /** Ethernet address. */
  readonly mac: string;
  /** MTU in bytes. */
  readonly mtu: number;
  /** Whether it may be promiscuous: the CNI plugin makes it so where its configuration says so. */
  readonly mayBePromiscuous: boolean;
}

/**
 * The bridge of the network for Apptainer; a value is the kind of the link. The CNI plugin would make
 * it with the first container; it is made before, so that checksum offload is off from the beginning.
 * Address and promiscuous mode are the plugin's.
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
        return `containers are on it (${ports.join(", ")}); run --undo again when none is left`;
      }
      await ipBatch([`link delete dev ${name}`]);
      return undefined;
    },
  };
}
