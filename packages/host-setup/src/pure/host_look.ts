/** The host as it is, before a plan is made. */

import type { Cidr, HostIni } from "@hpk/core";
import type { CniUse } from "./cni_network.ts";
import type { Distribution, Need } from "./distribution.ts";
import type { HostLink, HostRoute } from "./host_network.ts";
import type { Journal } from "./journal.ts";
import type { ModuleFacts } from "./kernel_modules.ts";
import type { RuleSet } from "./setup_firewall.ts";

/** Where Apptainer looks for its CNI networks and plugins. */
export interface ApptainerPaths {
  readonly networkDirectory: string;
  readonly pluginDirectories: readonly string[];
}

/** The host as it is. */
export interface HostLook {
  readonly links: readonly HostLink[];
  readonly routes: readonly HostRoute[];
  /** Whether there is a default route for IPv6. */
  readonly hasIpv6: boolean;
  readonly ruleSets: readonly RuleSet[];
  /** Why the packet filter could not be read; undefined where it could. */
  readonly rulesError: string | undefined;
  readonly backend: "nft" | "legacy";
  readonly distribution: Distribution;
  /** undefined where Apptainer is not installed. */
  readonly apptainer: ApptainerPaths | undefined;
  /** What lies in Apptainer's network directory. */
  readonly uses: readonly CniUse[];
  /** Other networks of pods that are set up here. */
  readonly networks: readonly { readonly cidr: Cidr; readonly owner: string }[];
  readonly modules: ModuleFacts;
  readonly ini: HostIni;
  /** Names of the instances of hpktainer that run. */
  readonly instances: readonly string[];
  readonly journal: Journal;
  /** Whether frames of bridges pass iptables (br_netfilter). */
  readonly bridgeNetfilter: boolean;
  readonly firewalld: boolean;
  readonly selinux: boolean;
  /** Whether systemd's directory of units is there. */
  readonly systemd: boolean;
  /** What is needed and not there. */
  readonly missing: readonly Need[];
  /** Path of ethtool; undefined where it is not installed. */
  readonly ethtool: string | undefined;
  /** Absolute path of this program. */
  readonly self: string;
}
