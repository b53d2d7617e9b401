/** The present state of the host, before a plan is made. */

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

/** The present state of the host. */
export interface HostLook {
  readonly links: readonly HostLink[];
  readonly routes: readonly HostRoute[];
  /** Whether there is an IPv6 default route. */
  readonly hasIpv6: boolean;
  readonly ruleSets: readonly RuleSet[];
  /** Why the packet filter could not be read; undefined if it could. */
  readonly rulesError: string | undefined;
  readonly backend: "nft" | "legacy";
  readonly distribution: Distribution;
  /** Undefined if Apptainer is not installed. */
  readonly apptainer: ApptainerPaths | undefined;
  /** Files in Apptainer's network directory. */
  readonly uses: readonly CniUse[];
  /** Other container networks that are configured here. */
  readonly networks: readonly { readonly cidr: Cidr; readonly owner: string }[];
  readonly modules: ModuleFacts;
  readonly ini: HostIni;
  /** Names of hpktainer's running instances. */
  readonly instances: readonly string[];
  readonly journal: Journal;
  /** Whether bridged frames pass iptables (br_netfilter). */
  readonly bridgeNetfilter: boolean;
  readonly firewalld: boolean;
  readonly selinux: boolean;
  /** Whether systemd's directory of units exists. */
  readonly systemd: boolean;
  /** The needs that are not met. */
  readonly missing: readonly Need[];
  /** Path of ethtool; undefined if it is not installed. */
  readonly ethtool: string | undefined;
  /** What of Flannel is installed: the path of a file; undefined where nothing is. */
  readonly flannel: string | undefined;
  /** The line of hpktainer's configuration file that sets the network; null where none does. */
  readonly networkLine: string | null;
  /** Absolute path of this program. */
  readonly self: string;
}
