import { hostLinkName } from "@hpk/core";
import { createNamespace, makeContainerLink, NAMESPACE_DIRECTORY } from "@hpk/core/os";
import type { Datapath } from "./datapath.ts";

/** A veth pair, with one end in the container and the other on the bridge. */
export const vethDatapath: Datapath = {
  name: "veth",
  containerMakesInterface: false,
  makeLink: ({ id, namespace, plan }) => {
    createNamespace(namespace);
    makeContainerLink({
      name: hostLinkName(id),
      bridge: plan.bridge,
      mtu: plan.mtu,
      namespace: `${NAMESPACE_DIRECTORY}/${namespace}`,
    });
    return Promise.resolve();
  },
  access: () => undefined,
};
