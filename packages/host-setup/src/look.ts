/** Inspects the host: all facts that a plan is based on. Nothing is changed. */

import {
  type Cidr,
  CONFIG_PATH,
  HOST_INI_PATH,
  HpkError,
  parseCidr,
  parseFlannelEnv,
  parseHostIni,
  resolveSettings,
} from "@hpk/core";
import { listDirectory, readAutomaticNetwork, readFileIfExists, runCommand } from "@hpk/core/os";
import { type CniUse, readCniUse } from "./pure/cni_network.ts";
import { type Need, NEEDS, readDistribution } from "./pure/distribution.ts";
import { networkLine } from "./pure/flannel_setting.ts";
import type { ApptainerPaths, HostLook } from "./pure/host_look.ts";
import { parseHostLinks, parseHostRoutes } from "./pure/host_network.ts";
import { EMPTY_JOURNAL, type Journal, JOURNAL_PATH, parseJournal } from "./pure/journal.ts";
import { isFirewalldRunning } from "./resources/firewalld.ts";
import type { RuleSet } from "./pure/setup_firewall.ts";
import { readModuleFacts } from "./resources/module.ts";
import { runningInstances } from "./resources/port.ts";
import { isSelinuxEnforcing } from "./resources/file.ts";
import { findTool } from "./tools.ts";

/**
 * Inspects the host.
 *
 * @param withIni Whether to read host.ini; for --undo an error in it does not matter.
 * @throws {HpkError} If host.ini or the journal cannot be read.
 */
export async function inspectHost(withIni = true): Promise<HostLook> {
  const ini = parseHostIni(withIni ? readFileIfExists(HOST_INI_PATH) ?? "" : "");
  const [apptainer, network, filter] = await Promise.all([
    findApptainer(),
    inspectNetwork(),
    inspectFilter(),
  ]);
  return {
    ...network,
    ...filter,
    distribution: readDistribution(
      readFileIfExists("/etc/os-release") ?? readFileIfExists("/usr/lib/os-release"),
    ),
    apptainer,
    uses: apptainer === undefined ? [] : readUses(apptainer.networkDirectory),
    networks: otherNetworks(),
    modules: readModuleFacts(),
    ini,
    instances: ini.ports.length === 0 ? [] : runningInstances(),
    journal: readJournal(),
    bridgeNetfilter:
      readFileIfExists("/proc/sys/net/bridge/bridge-nf-call-iptables")?.trim() === "1",
    firewalld: isFirewalldRunning(),
    selinux: isSelinuxEnforcing(),
    systemd: listDirectory("/etc/systemd/system") !== undefined,
    missing: missingNeeds(apptainer),
    ethtool: findTool("ethtool"),
    flannel: findFlannel(),
    networkLine: networkLine(readFileIfExists(CONFIG_PATH) ?? ""),
    self: Deno.execPath(),
  };
}

/** What earlier runs did on this host. */
export function readJournal(): Journal {
  const text = readFileIfExists(JOURNAL_PATH);
  return text === undefined ? EMPTY_JOURNAL : parseJournal(text);
}

async function inspectNetwork(): Promise<Pick<HostLook, "links" | "routes" | "hasIpv6">> {
  const ip = findTool("ip");
  if (ip === undefined) return { links: [], routes: [], hasIpv6: false };
  const run = async (args: string[]) => (await runCommand(ip, ["-json", ...args])).stdout;
  const [links, routes] = await Promise.all([
    run(["-details", "address", "show"]),
    run(["-4", "route", "show"]),
  ]);
  const parsed = parseHostRoutes(routes);
  const hasIpv4 = parsed.some(({ destination }) => destination.prefix === 0);
  const routes6 = hasIpv4 ? "" : await run(["-6", "route", "show", "default"]);
  return {
    links: parseHostLinks(links),
    routes: parsed,
    hasIpv6: /"dst":\s*"default"/.test(routes6),
  };
}

async function inspectFilter(): Promise<Pick<HostLook, "ruleSets" | "rulesError" | "backend">> {
  const save = findTool("iptables-save");
  const restore = findTool("iptables-restore");
  if (save === undefined || restore === undefined) {
    return { ruleSets: [], rulesError: "iptables is not installed", backend: "nft" };
  }
  // Names of the programs behind the alternatives: xtables-nft-multi and xtables-legacy-multi.
  const backend = Deno.realPathSync(save).includes("legacy") ? "legacy" : "nft";
  const { code, stdout, stderr } = await runCommand(save, []);
  if (code !== 0) {
    return {
      ruleSets: [],
      rulesError: Deno.uid() === 0 ? stderr.trim() : "only root may read it",
      backend,
    };
  }
  const ruleSets: RuleSet[] = [{ id: "iptables", save, restore, rules: stdout }];
  const other = await inspectOtherFilter(backend);
  return { ruleSets: [...ruleSets, ...other], rulesError: undefined, backend };
}

/** The back end that iptables does not use, if it has rules that may drop packets. */
async function inspectOtherFilter(backend: "nft" | "legacy"): Promise<RuleSet[]> {
  // Tables of the legacy back end that are loaded in this network namespace.
  const legacyTables = readFileIfExists("/proc/self/net/ip_tables_names")?.trim() ?? "";
  if (backend === "nft" && legacyTables === "") return [];
  const id = backend === "nft" ? "iptables-legacy" : "iptables-nft";
  const save = findTool(`${id}-save`);
  const restore = findTool(`${id}-restore`);
  if (save === undefined || restore === undefined) return [];
  const { code, stdout } = await runCommand(save, []);
  const filters = /^:FORWARD DROP|^-A FORWARD /m.test(
    stdout.split(/^\*(?!filter)/m)
      .filter((part) => part.includes("filter\n")).join(""),
  );
  return code === 0 && filters ? [{ id, save, restore, rules: stdout }] : [];
}

/**
 * Apptainer's directories, from `apptainer buildcfg` and its configuration, which takes precedence.
 */
async function findApptainer(): Promise<ApptainerPaths | undefined> {
  const program = findTool("apptainer");
  if (program === undefined) return undefined;
  const { stdout } = await runCommand(program, ["buildcfg"], {
    // Apptainer creates its directory in the caller's home; a plan must change nothing.
    environment: { APPTAINER_CONFIGDIR: "/proc/self/no-directory" },
  });
  const value = (key: string) => new RegExp(`^${key}=(.+)$`, "m").exec(stdout)?.[1];
  const directory = value("APPTAINER_CONFDIR") ?? "/etc/apptainer";
  const config = readFileIfExists(
    value("APPTAINER_CONF_FILE") ?? `${directory}/apptainer.conf`,
  ) ?? "";
  const setting = (key: string) =>
    new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(\\S.*?)[ \\t]*$`, "m").exec(config)?.[1];
  const plugins = setting("cni plugin path");
  return {
    networkDirectory: setting("cni configuration path") ?? `${directory}/network`,
    pluginDirectories: plugins !== undefined ? [plugins] : [
      `${value("LIBEXECDIR") ?? "/usr/libexec"}/apptainer/cni`,
      "/usr/libexec/apptainer/cni",
      "/usr/local/libexec/apptainer/cni",
      "/opt/cni/bin",
      "/usr/lib/cni",
      "/usr/libexec/cni",
    ],
  };
}

function readUses(directory: string): CniUse[] {
  return (listDirectory(directory) ?? []).filter((name) => /\.(conf|conflist|json)$/.test(name))
    .map((name) => {
      const path = `${directory}/${name}`;
      return readCniUse(path, readFileIfExists(path) ?? "");
    });
}

/** The networks of hpktainer and Flannel, whose links may not exist at the moment. */
function otherNetworks(): { cidr: Cidr; owner: string }[] {
  const found: { cidr: Cidr; owner: string }[] = [];
  const own = unlessWrong(() => {
    const text = readFileIfExists(CONFIG_PATH);
    const file = text === undefined ? undefined : { path: CONFIG_PATH, text };
    return resolveSettings({ file, environment: {}, options: {} }).settings.subnet;
  });
  const ownSubnet = own === undefined ? undefined : parseCidr(own);
  if (ownSubnet !== undefined) found.push({ cidr: ownSubnet, owner: "hpktainer's network" });
  const automatic = readAutomaticNetwork();
  if (automatic !== undefined) found.push({ cidr: automatic, owner: "hpktainer's network" });
  const flannel = readFileIfExists(FLANNEL_ENV);
  const lease = flannel === undefined
    ? undefined
    : unlessWrong(() => parseFlannelEnv(flannel, FLANNEL_ENV));
  if (lease !== undefined) {
    found.push({ cidr: lease.network ?? lease.subnet, owner: "Flannel's network" });
  }
  return found;
}

/** Where flanneld writes its lease (flannel, --subnet-file). */
const FLANNEL_ENV = "/run/flannel/subnet.env";

/** Where units of systemd lie (systemd.unit(5)), and how packages call that of flanneld. */
const UNIT_DIRECTORIES = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const FLANNEL_UNITS = ["flanneld.service", "flannel.service"];

/** What of Flannel is installed, as a path; undefined where nothing is. */
function findFlannel(): string | undefined {
  const unit = UNIT_DIRECTORIES.flatMap((directory) => {
    const names = listDirectory(directory) ?? [];
    return FLANNEL_UNITS.filter((name) => names.includes(name)).map((name) =>
      `${directory}/${name}`
    );
  })[0];
  const lease = readFileIfExists(FLANNEL_ENV) === undefined ? undefined : FLANNEL_ENV;
  return findTool("flanneld") ?? unit ?? lease;
}

/** Value of a file; undefined if it is invalid: the programs that use it report that. */
function unlessWrong<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof HpkError) return undefined;
    throw error;
  }
}

/** Whether all programs or plugins of a need are installed. */
export function isNeedThere(need: Need, apptainer: ApptainerPaths | undefined): boolean {
  if (need.where === "path") return need.programs.every((name) => findTool(name) !== undefined);
  const directories = apptainer?.pluginDirectories ??
    ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];
  return directories.some((directory) => {
    const names = listDirectory(directory) ?? [];
    return need.programs.every((name) => names.includes(name));
  });
}

/** The needs that are not met. */
function missingNeeds(apptainer: ApptainerPaths | undefined): Need[] {
  return NEEDS.filter((need) => !isNeedThere(need, apptainer));
}
