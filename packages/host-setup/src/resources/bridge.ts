import { ipBatch, readBridgePorts } from "@hpk/core/os";
import type { HostLink } from "../pure/host_network.ts";
import type { Resource } from "./resource.ts";

/** What the bridge is made with. */
export interface BridgeShape {
  /** Ethernet address. */
  readonly mac: string;
  /** MTU in bytes. */
  readonly mtu: number;
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
        return link === undefined ? null : link.kind ?? "hardware";
      }),
    apply: ({ id: name }) =>
      ipBatch([`link add name ${name} address ${shape.mac} mtu ${shape.mtu} type bridge`]),
    async remove({ id: name }) {
      const ports = await readBridgePorts(name);
      if (ports.length > 0) {
        return `containers are on it (${ports.join(", ")}); run --undo again when none is left`;
      }
      await ipBatch([`link delete dev ${name}`]);
      return undefined;
    },
  };
}
