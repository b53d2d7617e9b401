import {
  hostLinkName,
  macOf,
  RELAY_DIRECTORY,
  relaySessionDirectory,
  relaySocketPath,
} from "@hpk/core";
import { createNamespace, joinBridge } from "@hpk/core/os";
import type { Datapath } from "./datapath.ts";
import { startRelaySession } from "./relay_session.ts";

/**
 * A TAP on the bridge, and a socket that hpk-net-daemon in the container connects to; for the
 * image's part see images/hpktainer-base.
 */
export const relayDatapath: Datapath = {
  name: "relay",
  containerMakesInterface: true,
  makeLink: async ({ id, namespace, plan, address }) => {
    createNamespace(namespace);
    await startRelaySession({ id, plan, container: null, address: await address() });
    joinBridge(hostLinkName(id), plan.bridge);
  },
  access: (id, address, mtu) => ({
    mtu,
    directory: relaySessionDirectory(RELAY_DIRECTORY, id),
    socket: relaySocketPath(RELAY_DIRECTORY, id),
    mac: macOf(address),
  }),
};
