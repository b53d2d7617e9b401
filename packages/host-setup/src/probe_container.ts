/** A network namespace on the network for Apptainer, made by the CNI plugins as Apptainer has them made. */

import { HpkError, oneLine } from "@hpk/core";
import { readFileIfExists, runCommand, runOrThrow } from "@hpk/core/os";
import {
  addressIn,
  type CniList,
  pluginInput,
  type PortMapping,
  removalOfNewCniChains,
} from "./pure/cni_call.ts";
import type { ApptainerPaths } from "./pure/host_look.ts";
import type { RuleSet } from "./pure/setup_firewall.ts";
import { findTool } from "./tools.ts";

/** Name of the namespace, and the container's id for the plugins: fixed, so that the next run finds what a kill left. */
export const PROBE_NAMESPACE = "hpk-verify";

/** A container without a process. */
export class ProbeContainer {
  /** Its address. */
  readonly address: string;
  readonly #remove: () => Promise<void>;

  private constructor(address: string, remove: () => Promise<void>) {
    this.address = address;
    this.#remove = remove;
  }

  /**
   * Makes one.
   *
   * @param conflist Path of the configuration.
   * @param rules The packet filter before: what the plugins add to it for good is removed again.
   * @throws {HpkError} When a plugin fails; what was made is removed.
   */
  static async create(
    conflist: string,
    apptainer: ApptainerPaths,
    rules: RuleSet,
    port: PortMapping,
  ): Promise<ProbeContainer> {
    const list: CniList = JSON.parse(readFileIfExists(conflist)!);
    const ip = findTool("ip")!;
    const remove = async (): Promise<void> => {
      for (let index = list.plugins.length - 1; index >= 0; index--) {
        await callPlugin("DEL", list, index, apptainer, [port], undefined);
      }
      await runCommand(ip, ["netns", "delete", PROBE_NAMESPACE]);
      const after = await runOrThrow(rules.save, []);
      const input = removalOfNewCniChains(rules.rules, after);
      if (input !== "") {
        await runOrThrow(rules.restore, ["--noflush", "-w", "10"], { stdin: input });
      }
    };
    if (isFile(`/run/netns/${PROBE_NAMESPACE}`)) await remove();
    await runOrThrow(ip, ["netns", "add", PROBE_NAMESPACE]);
    try {
      await runOrThrow(ip, ["-netns", PROBE_NAMESPACE, "link", "set", "lo", "up"]);
      let result: unknown;
      for (const index of list.plugins.keys()) {
        result = await callPlugin("ADD", list, index, apptainer, [port], result) ?? result;
      }
      const address = addressIn(result);
      if (address === undefined) throw pluginError("bridge", "it gave no address");
      return new ProbeContainer(address, remove);
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** Removes it, and what the plugins made for it. */
  remove(): Promise<void> {
    return this.#remove();
  }
}

async function callPlugin(
  command: "ADD" | "DEL",
  list: CniList,
  index: number,
  { pluginDirectories }: ApptainerPaths,
  ports: readonly PortMapping[],
  previous: unknown,
): Promise<unknown> {
  const { type } = list.plugins[index]!;
  const directory = pluginDirectories.find((path) => isFile(`${path}/${type}`));
  if (directory === undefined) throw pluginError(type, "it is not installed");
  const { code, stdout } = await runCommand(`${directory}/${type}`, [], {
    stdin: pluginInput(list, index, ports, previous),
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
    what: `the CNI plugin ${type} made no network for a container`,
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
