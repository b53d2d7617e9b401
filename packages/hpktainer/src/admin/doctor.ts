import {
  containerResolver,
  defaultUplink,
  type HostRecord,
  HpkError,
  readVersion,
  type ResolvedSettings,
} from "@hpk/core";
import { hasMonitor } from "../attach/monitor_start.ts";
import { lingerLeft } from "../network/pure/linger.ts";
import { wantedMode } from "../network/pure/network_plan.ts";
import {
  findProgram,
  isAlive,
  Ledger,
  missingRootCapabilities,
  NET_DAEMON,
  OPTIONAL_PROGRAMS,
  type Program,
  PROGRAMS,
  readForwarding,
  readHostFacts,
  readUptime,
  runCommand,
  saveRules,
} from "@hpk/core/os";
import type { Caller } from "../shared/pure/caller.ts";
import { programsOfRuntimes } from "../runtimes/table.ts";
import { readConfiguration } from "../settings/configuration.ts";
import { readHostResolver } from "../names/host_resolver.ts";
import { nameServerOf } from "../names/host_names.ts";
import { checkMonitor } from "./doctor_monitor.ts";
import { checkFlannel } from "./doctor_flannel.ts";
import {
  chooseOn,
  hasSubnetFile,
  linksOf,
  lookAtIpv6,
  planOn,
  readFlannel,
} from "../network/planning.ts";
import { type ChosenNetwork, withChoice } from "../network/pure/network_choice.ts";
import { networkCheck } from "./pure/network_check.ts";
import { type Check, type DoctorReport, reportOf } from "./pure/doctor_report.ts";

/** The oldest Apptainer that has --netns-path. */
const LEAST_APPTAINER = [1, 2] as const;

/** Checks everything that a run needs. */
export async function examine(caller: Caller): Promise<DoctorReport> {
  let resolved: ResolvedSettings;
  try {
    resolved = readConfiguration(caller, {});
  } catch (error) {
    return reportOf([failure("configuration", error)], []);
  }
  const network = await checkNetwork(resolved);
  const checks = await Promise.all([
    checkRoot(caller),
    checkApptainer(caller),
    ...[PROGRAMS.ip, PROGRAMS.iptablesRestore, PROGRAMS.hostLocal, PROGRAMS.setsid].map((program) =>
      checkProgram(program)
    ),
    checkNetDaemon(resolved),
    ...[PROGRAMS.skopeo, PROGRAMS.umoci, ...await programsOfRuntimes()].map(checkForImages),
    checkConntrack(),
    checkNames(resolved),
    checkCapabilities(),
    checkFirewall(caller),
    checkForwarding(),
    network.check,
    checkUplink(resolved),
    checkResolver(resolved),
    checkLedger(caller),
    checkMonitor(caller),
  ]);
  return reportOf(
    [...checks, ...await checkFlannel(resolved.settings, network.choice)],
    resolved.sources,
  );
}

const ok = (id: string, found: string): Check => ({ id, status: "ok", found, fix: "" });

function failure(id: string, error: unknown): Check {
  return error instanceof HpkError
    ? { id, status: "fail", found: `${error.parts.what}: ${error.parts.why}`, fix: error.parts.fix }
    : { id, status: "fail", found: String(error), fix: "see the message" };
}

function checkRoot({ uid }: Caller): Check {
  return uid === 0 ? ok("root", "uid 0") : {
    id: "root",
    status: "fail",
    found: `uid ${uid}`,
    fix: "start containers with sudo, or with --network host",
  };
}

function checkProgram(program: Program, path?: string): Check {
  const place = findProgram(program, path);
  return place === undefined
    ? { id: program.name, status: "fail", found: "not installed", fix: program.fix }
    : ok(program.name, place);
}

/** Only the datapaths through our daemon need it. */
function checkNetDaemon({ settings }: ResolvedSettings): Check {
  const check = checkProgram(NET_DAEMON);
  const isNeeded = settings.datapath === "tap" || settings.datapath === "relay";
  return isNeeded || check.status === "ok"
    ? check
    : { ...check, status: "warn", found: "not installed; datapath veth does not need it" };
}

/** Not everyone uses OCI images. */
function checkForImages(program: Program): Check {
  const check = checkProgram(program);
  return check.status === "ok"
    ? check
    : { ...check, status: "warn", found: "not installed; only OCI images need it" };
}

/**
 * Without a name server, containers know each other's names as of their start, on one host only.
 */
function checkNames({ settings }: ResolvedSettings): Check {
  if (!settings.names) return { ...ok("names", "off, by the settings") };
  const check = checkProgram(OPTIONAL_PROGRAMS.dnsmasq);
  if (check.status !== "ok") {
    return {
      ...check,
      id: "names",
      status: "warn",
      found: "dnsmasq is not installed; containers know names of this host only, by /etc/hosts",
    };
  }
  const ledger = new Ledger();
  const isWanted = ledger.readHost()?.networks.some(({ nameServer }) => nameServer !== null);
  if (!isWanted) return ok("names", `${check.found}, started with the first container`);
  const pid = nameServerOf(ledger);
  return pid !== undefined ? ok("names", `${check.found}, pid ${pid}`) : {
    id: "names",
    status: "warn",
    found: "dnsmasq does not run; containers know names of this host only, by /etc/hosts",
    fix: "see whether something else listens on port 53 of the gateway (ss -lnp sport = 53)",
  };
}

/** UDP flows to a published port follow a change of it at once only with conntrack(8). */
function checkConntrack(): Check {
  const check = checkProgram(OPTIONAL_PROGRAMS.conntrack);
  return check.status === "ok" ? check : {
    ...check,
    status: "warn",
    found: "not installed; UDP flows follow a change of published ports only after a pause",
  };
}

async function checkApptainer({ environment }: Caller): Promise<Check> {
  const installed = checkProgram(PROGRAMS.apptainer, environment["PATH"] ?? "");
  if (installed.status === "fail") return installed;
  const { stdout } = await runCommand(installed.found, ["--version"]);
  const version = readVersion(stdout, LEAST_APPTAINER);
  return version?.enough ? ok("apptainer", `${installed.found}, version ${version.version}`) : {
    id: "apptainer",
    status: "fail",
    found: `${installed.found}, version ${version?.version ?? "unknown"}`,
    fix: PROGRAMS.apptainer.fix,
  };
}

function checkCapabilities(): Check {
  const missing = missingRootCapabilities();
  return missing.length === 0 ? ok("capabilities", "all") : {
    id: "capabilities",
    status: "warn",
    found: `root lacks ${missing.join(", ")}`,
    fix: "nothing: containers start without these (APPTAINER_DROP_CAPS)",
  };
}

async function checkFirewall({ uid }: Caller): Promise<Check> {
  if (findProgram(PROGRAMS.iptablesSave) === undefined || uid !== 0) {
    return { id: "firewall", status: "warn", found: "not checked", fix: "run doctor as root" };
  }
  try {
    const rules = await saveRules();
    const drops = /^:FORWARD DROP/m.test(rules)
      ? ", policy of FORWARD is DROP (our rules precede it)"
      : "";
    return ok(
      "firewall",
      `${rules.split("\n").filter((line) => line.startsWith("-A")).length} rules${drops}`,
    );
  } catch (error) {
    return {
      id: "firewall",
      status: "fail",
      found: String(error),
      fix: "load the kernel's iptables or nftables modules (modprobe ip_tables nf_tables)",
    };
  }
}

function checkForwarding(): Check {
  return ok(
    "forwarding",
    readForwarding() === "1" ? "on" : "off (turned on with the first container)",
  );
}

/** The network that containers get, and its check. */
interface NetworkCheck {
  readonly check: Check;
  /** undefined where they get none of ours, or none can be chosen. */
  readonly choice?: ChosenNetwork;
}

async function checkNetwork({ settings, sources }: ResolvedSettings): Promise<NetworkCheck> {
  const mode = wantedMode(settings);
  if (mode === "host" || mode === "none") {
    return { check: ok("network", `${mode}, by the settings`) };
  }
  try {
    const ledger = new Ledger();
    const facts = readHostFacts(linksOf(settings));
    const choice = chooseOn(facts, ledger, settings);
    try {
      const chosen = withChoice(settings, choice);
      const flannel = readFlannel(chosen);
      const seen = { facts, routes6: (await lookAtIpv6(chosen, flannel))?.routes };
      const plan = planOn(seen, ledger, chosen, flannel, undefined, choice.isAutomatic);
      const isPassedOver = choice.isAutomatic && hasSubnetFile(settings);
      return { check: networkCheck(plan, choice, sources, isPassedOver), choice };
    } catch (error) {
      return { check: failure("network", error), choice };
    }
  } catch (error) {
    return { check: failure("network", error) };
  }
}

function checkUplink({ settings }: ResolvedSettings): Check {
  try {
    const facts = readHostFacts(linksOf(settings));
    const name = settings.uplink ?? defaultUplink(facts, settings.bridge);
    const link = facts.links.find((candidate) => candidate.name === name);
    return link === undefined
      ? {
        id: "uplink",
        status: "warn",
        found: "no default route",
        fix: "not needed inside the host; for outside traffic, add a default route or set 'uplink'",
      }
      : ok("uplink", `${link.name}, MTU ${link.mtu}`);
  } catch (error) {
    return failure("uplink", error);
  }
}

function checkResolver({ settings }: ResolvedSettings): Check {
  const { servers } = containerResolver(readHostResolver(), settings.dns);
  return servers.length > 0 ? ok("dns", servers.join(", ")) : {
    id: "dns",
    status: "warn",
    found: "the host has no DNS server that a container can reach",
    fix: "set 'dns' in the configuration, or pass --dns ADDR",
  };
}

async function checkLedger(caller: Caller): Promise<Check> {
  const ledger = new Ledger();
  const records = ledger.list();
  const host = ledger.readHost();
  if (records.length === 0 && host !== undefined) return await checkUnused(caller, ledger, host);
  const dead = records.filter((record) => !isAlive(record.owner));
  return dead.length === 0 ? ok("containers", `${records.length} alive`) : {
    id: "containers",
    status: "warn",
    found: `${dead.length} of ${records.length} left by dead owners`,
    fix: "run 'hpktainer gc'",
  };
}

/** The shared part without a container: it lingers for the next one, or its keeper was killed. */
async function checkUnused(caller: Caller, ledger: Ledger, host: HostRecord): Promise<Check> {
  // Only root may see who holds the lock.
  const isKept = caller.uid !== 0 ||
    await ledger.withExisting(() => hasMonitor(ledger)) !== false;
  const left = isKept ? lingerLeft(host, readUptime()) : 0;
  return left > 0
    ? ok(
      "containers",
      `0 alive; the bridge ${host.bridge} stays for ${Math.ceil(left / 1000)} s (linger)`,
    )
    : {
      id: "containers",
      status: "warn",
      found: `0 alive; the bridge ${host.bridge} is left over from earlier ones`,
      fix: "run 'hpktainer gc'",
    };
}
