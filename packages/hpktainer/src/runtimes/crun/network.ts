/** A container's place in the ledger, with a network of ours or without one. */

import {
  type ContainerRecord,
  containerResolver,
  formatResolvConf,
  hostNameOf,
  type Settings,
} from "@hpk/core";
import { faultPoint, type Ledger, readFileIfExists } from "@hpk/core/os";
import { attach, checkFree, releaseName } from "../../attach/attach.ts";
import { readHostResolver } from "../../names/host_resolver.ts";
import { datapathFor } from "../../datapath/choose.ts";
import { ensureMonitor } from "../../attach/monitor_start.ts";
import { environmentFor } from "../../attach/pure/container_network.ts";
import type { SpecRequest } from "./pure/spec_builder.ts";
import { takeDown } from "../../attach/teardown.ts";
import { pathsOf } from "../../containers/paths.ts";
import type { PreparedContainer } from "./prepare.ts";
import type { Caller } from "../../shared/pure/caller.ts";

/** The runtime's name in records. */
export const CRUN = "crun";

/** What a container's specification says of its network. */
export interface ContainerNetwork {
  readonly record: ContainerRecord;
  readonly network: SpecRequest["network"];
  readonly hostname: string;
  readonly files: SpecRequest["files"];
  /** `NAME=value` for the container's environment. */
  readonly variables: readonly string[];
}

/** What every host file of a container without a network begins with (hosts(5)). */
const LOCAL_HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/**
 * Gives a container its network, and writes it into the ledger before.
 *
 * @throws {HpkError} When it cannot be; nothing is left of the attempt.
 */
export async function giveNetwork(
  ledger: Ledger,
  caller: Caller,
  prepared: PreparedContainer,
): Promise<ContainerNetwork> {
  const { mode, container } = prepared;
  const given = mode === "host" || mode === "none"
    ? await recordOnly(ledger, caller, prepared, mode)
    : await attachToPods(ledger, caller, prepared);
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
  { container, settings, mode }: PreparedContainer,
): Promise<ContainerNetwork> {
  const { id, name, options, image } = container;
  if (mode === "flannel" && settings.wait > 0) {
    const { awaitFlannel } = await import("../../network/flannel_wait.ts");
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
    runtime: { name: CRUN, id },
  });
  const variables = Object.entries(environmentFor(attachment))
    .map(([variable, value]) => `${variable}=${value}`);
  return {
    record: attachment.record,
    network: { path: attachment.namespacePath },
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
  { container, settings }: PreparedContainer,
  mode: "host" | "none",
): Promise<ContainerNetwork> {
  const { id, name, options } = container;
  await releaseName(ledger, name);
  const record = await ledger.withLock(async () => {
    checkFree(ledger, { name });
    const monitor = ensureMonitor(ledger);
    const made = recordOf(caller, container, mode);
    ledger.write(made);
    faultPoint("crun.recorded");
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
    network: mode === "host" ? "host" : "own",
    hostname: ownName,
    files: { resolvConf, hosts, hostname },
    variables: [],
  };
}

/** The host's own resolver where its network is shared: a stub on its loopback answers there too. */
function resolverText(mode: "host" | "none", settings: Settings): string {
  const own = readFileIfExists("/etc/resolv.conf") ?? "";
  return mode === "host" && settings.dns.length === 0
    ? own
    : formatResolvConf(containerResolver(readHostResolver(), settings.dns));
}

function recordOf(
  caller: Caller,
  { id, name, image }: PreparedContainer["container"],
  mode: "host" | "none",
): ContainerRecord {
  return {
    version: 1,
    id,
    name,
    kind: "run",
    phase: "starting",
    owner: caller.process,
    created: new Date().toISOString(),
    runtime: CRUN,
    image: image.given,
    mode,
    datapath: "veth",
    subnet: "",
    gateway: "",
    bridge: "",
    mtu: 0,
    address: null,
    subnet6: null,
    gateway6: null,
    address6: null,
    ports: [],
    policy: { isolated: false, masquerade: true, imds: true },
    names: "none",
    resources: [{ kind: "container", runtime: CRUN, id }],
    errors: [],
  };
}
