/**
 * A network namespace on the network for Apptainer, made by the CNI plugins as Apptainer calls
 * them.
 */

import { HpkError, oneLine } from "@hpk/core";
import { readFileIfExists, removeIfExists, runCommand, runOrThrow } from "@hpk/core/os";
import {
  addressIn,
  type CniList,
  pluginInput,
  type PortMapping,
  removalOfNewCniChains,
} from "./pure/cni_call.ts";
import type { ApptainerPaths } from "./pure/host_look.ts";
import type { RuleSet } from "./pure/setup_firewall.ts";
import { writeWhole } from "./resources/write_file.ts";
import { findTool } from "./tools.ts";

/** Name of the namespace, and the container's id for the plugins. */
export const PROBE_NAMESPACE = "hpk-verify";

/**
 * Record of what has to be removed: after a kill, the next run does so. A reboot removes all of it.
 */
const RECORD_PATH = "/run/hpk-verify.json";

/** Contents of the record. */
interface ProbeRecord {
  readonly list: CniList;
  readonly pluginDirectories: readonly string[];
  readonly port: PortMapping;
  readonly save: string;
  readonly restore: string;
  /** The packet filter before the plugins ran. */
  readonly rules: string;
  /** The plugins' results so far. */
  readonly result: unknown;
}

/**
 * Creates one.
 *
 * @param conflist Path of the configuration.
 * @param rules The current packet filter.
 * @return Its address.
 * @throws {HpkError} If a plugin fails; what was made is removed.
 */
export async function makeProbeContainer(
  conflist: string,
  { pluginDirectories }: ApptainerPaths,
  { rules, save, restore }: RuleSet,
  port: PortMapping,
): Promise<string> {
  const list: CniList = JSON.parse(readFileIfExists(conflist)!);
  let record: ProbeRecord = {
    ...{ list, pluginDirectories, port, save, restore, rules },
    result: null,
  };
  writeWhole(RECORD_PATH, JSON.stringify(record));
  try {
    const ip = findTool("ip")!;
    await runOrThrow(ip, ["netns", "add", PROBE_NAMESPACE]);
    await runOrThrow(ip, ["-netns", PROBE_NAMESPACE, "link", "set", "lo", "up"]);
    for (const index of list.plugins.keys()) {
      record = { ...record, result: await callPlugin("ADD", record, index) ?? record.result };
      writeWhole(RECORD_PATH, JSON.stringify(record));
    }
    const address = addressIn(record.result);
    if (address !== undefined) return address;
    throw pluginError("bridge", "it returned no address");
  } catch (error) {
    await removeProbeContainer();
    throw error;
  }
}

/**
 * Removes it, and everything that the plugins leave behind: their chains, unless these existed
 * before. Does nothing if there is none.
 */
export async function removeProbeContainer(): Promise<void> {
  const text = readFileIfExists(RECORD_PATH);
  if (text === undefined) return;
  const record: ProbeRecord = JSON.parse(text);
  for (const index of [...record.list.plugins.keys()].reverse()) {
    await callPlugin("DEL", record, index);
  }
  await runCommand(findTool("ip")!, ["netns", "delete", PROBE_NAMESPACE]);
  const after = await runOrThrow(record.save, []);
  const input = removalOfNewCniChains(record.rules, after);
  if (input !== "") await runOrThrow(record.restore, ["--noflush", "-w", "10"], { stdin: input });
  removeIfExists(RECORD_PATH);
}

async function callPlugin(
  command: "ADD" | "DEL",
  { list, pluginDirectories, port, result }: ProbeRecord,
  index: number,
): Promise<unknown> {
  const { type } = list.plugins[index]!;
  const directory = pluginDirectories.find((path) => isFile(`${path}/${type}`));
  if (directory === undefined) throw pluginError(type, "it is not installed");
  const { code, stdout } = await runCommand(`${directory}/${type}`, [], {
    stdin: pluginInput(list, index, [port], result ?? undefined),
    environment: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: PROBE_NAMESPACE,
      CNI_NETNS: `/run/netns/${PROBE_NAMESPACE}`,
      CNI_IFNAME: "eth0",
      CNI_PATH: pluginDirectories.join(":"),
    },
  });
  if (code === 0) return stdout.trim() === "" ? undefined : JSON.parse(stdout);
  if (command === "DEL") return undefined;
  throw pluginError(type, oneLine(stdout));
}

function pluginError(type: string, why: string): HpkError {
  return new HpkError({
    what: `the CNI plugin ${type} cannot set up a container's network`,
    why,
    fix: "run --apply; see 'hpktainer doctor' for the plugins",
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
