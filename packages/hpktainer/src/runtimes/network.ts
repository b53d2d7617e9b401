/** A container's network and its record in the ledger, also for containers without our network. */

import {
  type ContainerRecord,
  containerResolver,
  formatResolvConf,
  hostNameOf,
  HpkError,
  newRecord,
  type Settings,
  type WantedNetwork,
} from "@hpk/core";
import { faultPoint, type Ledger, readFileIfExists } from "@hpk/core/os";
import { attach, checkFree, releaseName } from "../attach/attach.ts";
import { readHostResolver } from "../names/host_resolver.ts";
import { datapathFor } from "../datapath/choose.ts";
import { ensureMonitor } from "../attach/monitor_start.ts";
import { environmentFor } from "../attach/pure/container_network.ts";
import { takeDown } from "../attach/teardown.ts";
import type { StoredContainer } from "../containers/pure/stored_container.ts";
import type { GivenNetwork } from "../containers/runtime.ts";
import { pathsOf } from "../containers/paths.ts";
import { wantedMode } from "../network/pure/network_plan.ts";
import { readConfiguration } from "../settings/configuration.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { writeText } from "../shared/streams.ts";

/** The network chosen for a container. */
export interface NetworkChoice {
  readonly settings: Settings;
  readonly mode: WantedNetwork;
}

/** A container's network, and its record in the ledger. */
export interface RecordedNetwork extends GivenNetwork {
  readonly record: ContainerRecord;
}

/** First lines of the hosts file of a container without our network (hosts(5)). */
const LOCAL_HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/**
 * Chooses a container's network: by its options, the caller's environment and the configuration.
 *
 * @throws {HpkError} When the options do not apply to the network.
 */
export function chooseNetwork(caller: Caller, container: StoredContainer): NetworkChoice {
  const { settings } = readConfiguration(caller, networkSettings(container));
  const mode = wantedMode(settings);
  checkNetwork(container, mode);
  return { settings, mode };
}

/**
 * Records a container in the ledger, then creates its network.
 *
 * @throws {HpkError} When that fails; nothing is left behind.
 */
export async function giveNetwork(
  ledger: Ledger,
  caller: Caller,
  container: StoredContainer,
  choice: NetworkChoice,
): Promise<RecordedNetwork> {
  const { mode, settings } = choice;
  const given = mode === "host" || mode === "none"
    ? await recordOnly(ledger, caller, container, settings, mode)
    : await attachToPods(ledger, caller, container, choice);
  const { extraHosts } = container.options;
  if (extraHosts.length > 0) {
    const lines = extraHosts.map(([address, name]) => `${address}\t${name}\n`).join("");
    Deno.writeTextFileSync(given.files.hosts, lines, { append: true });
  }
  return given;
}

async function attachToPods(
  ledger: Ledger,
  caller: Caller,
  container: StoredContainer,
  { settings, mode }: NetworkChoice,
): Promise<RecordedNetwork> {
  const { id, name, options, image } = container;
  if (mode === "flannel" && settings.wait > 0) {
    const { awaitFlannel } = await import("../network/flannel_wait.ts");
    await awaitFlannel(settings);
  }
  const attachment = await attach(ledger, {
    caller,
    settings,
    ip: options.network.ip,
    name,
    kind: "run",
    image: image.given,
    hostname: options.hostname,
    datapath: datapathFor(settings.datapath),
    runtime: container.runtime,
    id,
  });
  if (attachment.notice !== undefined) {
    writeText(caller.streams.stderr, `hpktainer: ${attachment.notice}\n`);
  }
  const variables = Object.entries(environmentFor(attachment))
    .map(([variable, value]) => `${variable}=${value}`);
  return {
    record: attachment.record,
    namespace: { path: attachment.namespacePath },
    hostname: attachment.hostname,
    files: {
      resolvConf: attachment.resolvConf,
      hosts: attachment.hosts,
      hostname: pathsOf(id).hostname,
    },
    variables,
  };
}

async function recordOnly(
  ledger: Ledger,
  caller: Caller,
  container: StoredContainer,
  settings: Settings,
  mode: "host" | "none",
): Promise<RecordedNetwork> {
  const { id, name, options } = container;
  await releaseName(ledger, name);
  const record = await ledger.withLock(async () => {
    checkFree(ledger, { name });
    const monitor = ensureMonitor(ledger);
    const made = recordOf(caller, container, mode);
    ledger.write(made);
    faultPoint("container.recorded");
    await monitor;
    return made;
  }).catch(async (error) => {
    await takeDown(ledger, (candidate) => candidate.id === id);
    throw error;
  });
  const { resolvConf, hosts, hostname } = pathsOf(id);
  const ownName = options.hostname ?? (mode === "host" ? Deno.hostname() : hostNameOf(name));
  const hostsText = mode === "host"
    ? readFileIfExists("/etc/hosts") ?? LOCAL_HOSTS
    : `${LOCAL_HOSTS}127.0.0.1\t${ownName}\n`;
  Deno.writeTextFileSync(hosts, hostsText);
  Deno.writeTextFileSync(resolvConf, resolverText(mode, settings));
  return {
    record,
    namespace: mode === "host" ? "host" : "own",
    hostname: ownName,
    files: { resolvConf, hosts, hostname },
    variables: [],
  };
}

/** The host's own resolver for its shared network: a stub on the loopback answers there too. */
function resolverText(mode: "host" | "none", settings: Settings): string {
  const own = readFileIfExists("/etc/resolv.conf") ?? "";
  return mode === "host" && settings.dns.length === 0
    ? own
    : formatResolvConf(containerResolver(readHostResolver(), settings.dns));
}

function recordOf(
  caller: Caller,
  { id, name, image, runtime }: StoredContainer,
  mode: "host" | "none",
): ContainerRecord {
  return newRecord({
    ...{ id, name, kind: "run", owner: caller.process, runtime, image: image.given, mode },
    created: new Date().toISOString(),
    resources: [{ kind: "container", runtime, id }],
  });
}

/** The user's settings, with the image's ports if --publish-all is given. */
function networkSettings(
  { options, config }: StoredContainer,
): StoredContainer["options"]["network"]["settings"] {
  const { settings } = options.network;
  if (!options.publishAll || config.exposedPorts.length === 0) return settings;
  const exposed = config.exposedPorts.map((port) => `0:${port}`);
  return {
    ...settings,
    publish: [...(settings.publish ? [settings.publish] : []), ...exposed].join(","),
  };
}

/** Refuses network options for a container without our network. */
function checkNetwork({ options }: StoredContainer, mode: NetworkChoice["mode"]): void {
  if (mode !== "host" && mode !== "none") return;
  const { ip, settings } = options.network;
  const given = [
    ...Object.keys(settings).filter((key) => key !== "network" && key !== "dns"),
    ...(ip === undefined ? [] : ["ip"]),
  ];
  if (given.length === 0) return;
  throw new HpkError({
    what: `cannot use --${given[0]} with the network '${mode}'`,
    why: "hpktainer does not set up that network",
    fix: "leave one of the two out",
  });
}
