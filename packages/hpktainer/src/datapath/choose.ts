import type { Datapath as DatapathSetting } from "@hpk/core";
import type { Datapath } from "./datapath.ts";
import { relayDatapath } from "./relay.ts";
import { tapDatapath } from "./tap.ts";
import { vethDatapath } from "./veth.ts";

/** The datapath of a setting; by default veth. */
export function datapathFor(setting: DatapathSetting): Datapath {
  switch (setting) {
    case "tap":
      return tapDatapath;
    case "relay":
      return relayDatapath;
    case "auto":
    case "veth":
      return vethDatapath;
  }
}
