/** Contents of the files that are ours. Each begins with the marker that identifies it. */

import { MARKER } from "./cni_network.ts";

/** A kernel setting. */
export interface Sysctl {
  /** With slashes, as below /proc/sys: an interface's name may have a dot. */
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

/**
 * The file of kernel settings. Its name sorts after Debian's 99-sysctl.conf, which is /etc/sysctl.conf:
 * if two files set one key, the last one wins (sysctl.d(5)).
 */
export const SYSCTL_PATH = "/etc/sysctl.d/99-zz-hpktainer.conf";

/** The file of kernel modules, modules-load.d(5). */
export const MODULES_PATH = "/etc/modules-load.d/hpktainer.conf";

/** The udev rule, udev(7). */
export const UDEV_PATH = "/etc/udev/rules.d/90-hpktainer-offload.rules";

/** The unit that restores the host's setup at boot, and the link that enables it. */
export const UNIT_PATH = "/etc/systemd/system/hpk-host-setup.service";
export const UNIT_LINK = "/etc/systemd/system/multi-user.target.wants/hpk-host-setup.service";

/** Every directory that may contain a file of ours, with its parents, outermost first. */
export function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)
    .filter((directory) => directory !== "/etc" && directory !== "/");
}

/** Whether a file's text is one that we have written. */
export function isOurText(text: string): boolean {
  return text.includes(MARKER);
}

/** Kernel settings that the container network needs. */
export function wantedSysctls(uplink: string | undefined): Sysctl[] {
  const loose = "a reply may arrive on another interface than the kernel would use to send";
  return [
    {
      key: "net/ipv4/ip_forward",
      value: "1",
      reason: "the host forwards packets between containers and the uplink",
    },
    { key: "net/ipv4/conf/all/rp_filter", value: "2", reason: loose },
    { key: "net/ipv4/conf/default/rp_filter", value: "2", reason: `${loose}; for future links` },
    ...(uplink === undefined
      ? []
      : [{ key: `net/ipv4/conf/${uplink}/rp_filter`, value: "2", reason: loose }]),
  ];
}

/** Contents of the file of kernel settings; "-" allows an interface to be absent at boot. */
export function formatSysctls(sysctls: readonly Sysctl[]): string {
  const lines = sysctls.map(({ key, value }) =>
    /^net\/ipv4\/(ip_forward|conf\/(all|default)\/)/.test(key)
      ? `${key} = ${value}`
      : `-${key} = ${value}`
  );
  return `# ${MARKER}\n${lines.join("\n")}\n`;
}

/** Contents of the file of kernel modules. */
export function formatModules(modules: readonly string[]): string {
  return `# ${MARKER}\n${modules.join("\n")}\n`;
}

/**
 * Contents of the udev rule. A rule cannot match the ports of the bridge: at the time of its event
 * a link is not a port yet. They need none either, as long as only the bridge sends to them.
 *
 * @param all Whether to match every veth of the host, also those of other programs.
 */
export function formatUdevRule(ethtool: string, bridge: string, all: boolean): string {
  const rule = (match: string) =>
    `ACTION=="add", SUBSYSTEM=="net", ${match}, RUN+="${ethtool} -K $name tx off"`;
  const rules = [
    rule(`KERNEL=="${bridge}"`),
    ...(all ? [rule(`ENV{ID_NET_DRIVER}=="veth"`)] : []),
  ];
  return `# ${MARKER}\n${rules.join("\n")}\n`;
}

/**
 * Contents of the unit. It runs after anything that loads rules or settings of its own, so that
 * ours stay in force; and after the network, which brings up the uplink.
 *
 * @param program Absolute path of host-setup.
 */
export function formatUnit(program: string): string {
  return `# ${MARKER}
[Unit]
Description=Makes the host ready for containers
Wants=network-online.target
After=network-online.target systemd-sysctl.service systemd-modules-load.service
After=iptables.service nftables.service firewalld.service ufw.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${quoteUnitWord(program)} --apply --no-packages

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a command line in a unit (systemd.service(5), "Command lines"). */
function quoteUnitWord(word: string): string {
  const escaped = word.replace(/[%$]/g, "$&$&").replace(/["\\]/g, "\\$&");
  return /[\s"'\\]/.test(word) ? `"${escaped}"` : escaped;
}
