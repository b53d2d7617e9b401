import { hostLinkName } from "@hpk/core";
import { ipBatch } from "@hpk/core/os";
import type { Datapath } from "./datapath.ts";

/** A veth pair of the kernel: one end in the container, the other on the bridge. */
export const vethDatapath: Datapath = {
  name: "veth",
  containerMakesInterface: false,
  makeLink: ({ id, namespace, plan }) =>
    ipBatch([
      `netns add ${namespace}`,
      `link add name ${hostLinkName(id)} mtu ${plan.mtu} master ${plan.bridge} up ` +
      `type veth peer name eth0 mtu ${plan.mtu} netns ${namespace}`,
    ]),
  access: () => undefined,
};
