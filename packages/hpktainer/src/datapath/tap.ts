import { hostLinkName } from "@hpk/core";
import { createNamespace, joinBridge, NAMESPACE_DIRECTORY } from "@hpk/core/os";
import type { Datapath } from "./datapath.ts";
import { startRelaySession } from "./relay_session.ts";

/** Two TAPs, one in the container and one on the bridge, connected by hpk-net-daemon. */
export const tapDatapath: Datapath = {
  name: "tap",
  containerMakesInterface: false,
  makeLink: async ({ id, namespace, plan, address }) => {
    createNamespace(namespace);
    const container = { namespace: `${NAMESPACE_DIRECTORY}/${namespace}`, tap: "eth0" };
    await startRelaySession({ id, plan, container, address: await address() });
    joinBridge(hostLinkName(id), plan.bridge);
  },
  access: () => undefined,
};
