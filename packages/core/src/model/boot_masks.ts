/**
 * The units of a booted container that are masked, and why: those that would configure what does
 * not belong to the container. In the host's network namespace that is the whole network; in a
 * namespace of its own, the interface that was made for it. Some things belong to the host in
 * either case: the clock, kernel settings and modules, devices.
 *
 * Masking a unit that an image lacks does no harm. Units are listed by their own names: systemd
 * masks their aliases (dbus-org.freedesktop.network1.service) as well.
 */

import { HpkError } from "./errors.ts";

/** Units that are masked for one reason, and are allowed to run together. */
export interface MaskGroup {
  /** A short name, such as "NetworkManager". */
  readonly name: string;
  readonly units: readonly string[];
  /** What the units would do, to complete "masked, because it …". */
  readonly reason: string;
  /** Whether they only do harm if the container shares the host's network namespace. */
  readonly onlyInHostNetwork: boolean;
}

/** A masked unit, and why. */
export interface Mask {
  readonly unit: string;
  /** Name of its group. */
  readonly group: string;
  readonly reason: string;
}

/** The units that are masked by default, in the order in which they are listed. */
export const MASK_GROUPS: readonly MaskGroup[] = [
  {
    name: "systemd-networkd",
    units: [
      "systemd-networkd.service",
      "systemd-networkd.socket",
      "systemd-networkd-varlink.socket",
      "systemd-networkd-resolve-hook.socket",
      "systemd-networkd-persistent-storage.service",
    ],
    reason: "sets links, addresses and routes",
    onlyInHostNetwork: false,
  },
  {
    name: "wait-online",
    units: [
      "systemd-networkd-wait-online.service",
      "systemd-networkd-wait-online@.service",
      "NetworkManager-wait-online.service",
      "ifupdown-wait-online.service",
      "connman-wait-online.service",
    ],
    reason: "waits for a network manager that does not run, so it delays the boot and fails",
    onlyInHostNetwork: false,
  },
  {
    name: "systemd-network-generator",
    units: ["systemd-network-generator.service"],
    reason: "configures the network from the host's kernel command line",
    onlyInHostNetwork: false,
  },
  {
    name: "systemd-resolved",
    units: [
      "systemd-resolved.service",
      "systemd-resolved-varlink.socket",
      "systemd-resolved-monitor.socket",
      "resolvconf.service",
      "resolvconf-pull-resolved.path",
      "resolvconf-pull-resolved.service",
    ],
    reason: "listens on 127.0.0.53 and rewrites resolv.conf",
    onlyInHostNetwork: false,
  },
  {
    name: "NetworkManager",
    units: [
      "NetworkManager.service",
      "NetworkManager-dispatcher.service",
      "nm-priv-helper.service",
      "nm-cloud-setup.service",
      "nm-cloud-setup.timer",
      "ModemManager.service",
      "wpa_supplicant.service",
      "wpa_supplicant@.service",
      "iwd.service",
    ],
    reason: "sets links, addresses, routes and resolv.conf",
    onlyInHostNetwork: false,
  },
  {
    name: "ifupdown",
    units: [
      "networking.service",
      "ifup@.service",
      "ifupdown-pre.service",
      "network.service",
      "netplan-ovs-cleanup.service",
    ],
    reason: "brings interfaces up and down",
    onlyInHostNetwork: false,
  },
  {
    name: "dhcp",
    units: [
      "dhclient.service",
      "dhclient@.service",
      "dhcpcd.service",
      "dhcpcd@.service",
      "dhcpcd5.service",
    ],
    reason: "requests addresses by DHCP and sets them",
    onlyInHostNetwork: false,
  },
  {
    name: "wicked",
    units: [
      "wicked.service",
      "wickedd.service",
      "wickedd-auto4.service",
      "wickedd-dhcp4.service",
      "wickedd-dhcp6.service",
      "wickedd-nanny.service",
    ],
    reason: "sets links, addresses and routes",
    onlyInHostNetwork: false,
  },
  {
    name: "connman",
    units: ["connman.service", "connman-vpn.service"],
    reason: "sets links, addresses, routes and resolv.conf",
    onlyInHostNetwork: false,
  },
  {
    name: "cloud-init",
    units: [
      "cloud-init-local.service",
      "cloud-init.service",
      "cloud-init-main.service",
      "cloud-init-network.service",
      "cloud-init-hotplugd.service",
      "cloud-init-hotplugd.socket",
      "cloud-config.service",
      "cloud-final.service",
      "policy-routes@.service",
      "refresh-policy-routes@.service",
      "refresh-policy-routes@.timer",
      "google-guest-agent.service",
      "walinuxagent.service",
    ],
    reason: "configures the machine from the cloud's metadata: network, host name, keys",
    onlyInHostNetwork: false,
  },
  {
    name: "firewall",
    units: [
      "firewalld.service",
      "nftables.service",
      "iptables.service",
      "ip6tables.service",
      "ebtables.service",
      "netfilter-persistent.service",
      "ipset.service",
      "ufw.service",
      "shorewall.service",
      "shorewall6.service",
    ],
    reason: "replaces the packet filter, which is the host's",
    onlyInHostNetwork: true,
  },
  {
    name: "systemd-sysctl",
    units: ["systemd-sysctl.service", "procps.service"],
    reason: "writes kernel settings, most of which are the host's",
    onlyInHostNetwork: false,
  },
  {
    name: "tuning",
    units: ["tuned.service", "irqbalance.service"],
    reason: "tunes the host's kernel and devices",
    onlyInHostNetwork: false,
  },
  {
    name: "systemd-modules-load",
    units: ["systemd-modules-load.service"],
    reason: "loads modules into the host's kernel",
    onlyInHostNetwork: false,
  },
  {
    name: "systemd-binfmt",
    units: [
      "systemd-binfmt.service",
      "proc-sys-fs-binfmt_misc.automount",
      "proc-sys-fs-binfmt_misc.mount",
    ],
    reason: "registers binary formats in the host's kernel",
    onlyInHostNetwork: false,
  },
  {
    name: "systemd-pstore",
    units: ["systemd-pstore.service"],
    reason: "moves the host's crash records away",
    onlyInHostNetwork: false,
  },
  {
    name: "udev",
    units: [
      "systemd-udevd.service",
      "systemd-udevd-control.socket",
      "systemd-udevd-kernel.socket",
      "systemd-udevd-varlink.socket",
      "systemd-udev-trigger.service",
      "systemd-udev-settle.service",
      "systemd-udev-load-credentials.service",
      "udev.service",
    ],
    reason: "renames and sets up interfaces, and re-triggers every device in the host's own udev",
    onlyInHostNetwork: false,
  },
  {
    name: "infiniband",
    units: [
      "openibd.service",
      "opensm.service",
      "opensmd.service",
      "rdma.service",
      "rdma-ndd.service",
      "rdma-load-modules@.service",
    ],
    reason: "sets up InfiniBand devices, which no namespace separates",
    onlyInHostNetwork: false,
  },
  {
    name: "time",
    units: [
      "systemd-timesyncd.service",
      "systemd-time-wait-sync.service",
      "chrony.service",
      "chronyd.service",
      "ntp.service",
      "ntpd.service",
      "ntpsec.service",
      "openntpd.service",
    ],
    reason: "sets the clock, which is the host's",
    onlyInHostNetwork: false,
  },
  {
    name: "abstract-sockets",
    units: ["iscsid.socket", "iscsiuio.socket", "multipathd.socket"],
    reason: "listens on an abstract socket, whose name belongs to the network namespace",
    onlyInHostNetwork: true,
  },
];

/** Which masks apply. */
export interface MaskChoice {
  /** Units or names of groups that may run: each allows its whole group. */
  readonly allow: readonly string[];
  /** Whether the container shares the host's network namespace. */
  readonly hostNetwork: boolean;
}

/**
 * Chooses the units to mask.
 *
 * @return The masks in a fixed order.
 * @throws {HpkError} If a unit that is never masked is to be allowed: a typo.
 */
export function chooseMasks(choice: MaskChoice): Mask[] {
  const allowed = new Set(choice.allow.map((word) => groupOf(word).name));
  return MASK_GROUPS
    .filter(({ name, onlyInHostNetwork }) =>
      !allowed.has(name) && (choice.hostNetwork || !onlyInHostNetwork)
    )
    .flatMap(({ name, units, reason }) => units.map((unit) => ({ unit, group: name, reason })));
}

function groupOf(word: string): MaskGroup {
  const group = MASK_GROUPS.find(({ name, units }) =>
    name === word || units.includes(word) || units.includes(`${word}.service`)
  );
  if (group !== undefined) return group;
  throw new HpkError({
    what: `cannot allow '${word}' to run`,
    why: "no unit of that name is masked; it runs anyway if the image has it",
    fix: `leave it out, or name a unit or one of ${MASK_GROUPS.map(({ name }) => name).join(", ")}`,
  });
}

/** Directory of units that take precedence over those of the image's packages (systemd.unit(5)). */
export const UNIT_DIRECTORY = "/etc/systemd/system";

/**
 * Directories of the units that packages install in an image (systemd.unit(5)): they differ if /lib
 * and /usr/lib are separate directories.
 */
const PACKAGED_UNIT_DIRECTORIES = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * Where to bind an empty file so that a unit is masked: systemd treats an empty unit file as a
 * masked unit, but ignores a device such as /dev/null there.
 *
 * @param mask What to mask.
 * @param has Reports whether the image has a file at a path. Needed if bind points cannot be
 * created in the image, so that only existing files can be bound over; undefined if they can.
 * @return Paths in the container; none if there is nothing to bind over.
 */
export function maskTargets(mask: Mask, has: ((path: string) => boolean) | undefined): string[] {
  const own = `${UNIT_DIRECTORY}/${mask.unit}`;
  if (has === undefined) return [own];
  if (has(own)) return [own];
  return PACKAGED_UNIT_DIRECTORIES.map((directory) => `${directory}/${mask.unit}`)
    .filter(has).slice(0, 1);
}
