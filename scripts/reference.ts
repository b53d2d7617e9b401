/**
 * Writes the pages of docs/reference that are derived from the code.
 *
 *   deno task reference            writes them
 *   deno task reference --check    fails when they are out of date
 */

import { CONFIG_PATH } from "@hpk/core";
import { SETTINGS } from "@hpk/core/settings-table";
import { HOST_SETUP } from "../packages/host-setup/src/cli/commands.ts";
import { NETWORK_OPTIONS } from "../packages/hpktainer/src/arguments/network_options.ts";
import { OWN_COMMANDS, STARTS } from "../packages/hpktainer/src/cli/commands.ts";
import { NET_DAEMON } from "../packages/net-daemon/src/cli/commands.ts";
import { type DocNode, jsonPage } from "./json_page.ts";
import { cliPage, configurationPage, type Program } from "./reference_pages.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const DIRECTORY = `${ROOT}docs/reference`;

/** The programs, as the reference shows them. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "hpktainer",
    about: "Gives any container an IP address of its own on the host's pod network.",
    commands: [...STARTS, ...OWN_COMMANDS],
  },
  {
    name: HOST_SETUP.name,
    about: "Makes a host ready for containers, and can take that back.",
    commands: [HOST_SETUP],
  },
  {
    name: NET_DAEMON.name,
    about: "Relays Ethernet frames between TAP devices. hpktainer starts it.",
    commands: [NET_DAEMON],
  },
];

/** Modules that declare what `--json` prints. */
const TYPE_MODULES = [
  "core/src/model/host_state.ts",
  "core/src/model/ledger_record.ts",
  "core/src/model/published_port.ts",
  "core/src/model/relay_control.ts",
  "core/src/model/settings.ts",
  "core/src/model/settings_table.ts",
  "host-setup/src/pure/boot_overrides.ts",
  "host-setup/src/pure/item.ts",
  "host-setup/src/pure/report.ts",
  "host-setup/src/pure/verify_report.ts",
  "hpktainer/src/admin/pure/container_view.ts",
  "hpktainer/src/admin/pure/doctor_report.ts",
  "hpktainer/src/admin/pure/garbage_report.ts",
  "hpktainer/src/containers/pure/container_text.ts",
  "hpktainer/src/containers/pure/stored_container.ts",
  "hpktainer/src/images/manage_images.ts",
  "hpktainer/src/images/pure/image_view.ts",
  "hpktainer/src/ports/pure/port_view.ts",
  "hpktainer/src/shared/pure/event.ts",
];

/** Runs Deno, and gives what it prints. */
async function deno(args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(`${ROOT}scripts/deno`, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`deno ${args[0]} failed: ${decode(stderr)}`);
  return decode(stdout);
}

async function declarations(): Promise<readonly DocNode[]> {
  const paths = TYPE_MODULES.map((path) => `${ROOT}packages/${path}`);
  const { nodes } = JSON.parse(await deno(["doc", "--json", ...paths]));
  return nodes.filter(({ kind }: { kind: string }) => kind === "interface" || kind === "typeAlias");
}

async function pages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["cli.md", await cliPage(PROGRAMS, NETWORK_OPTIONS)],
    ["configuration.md", configurationPage(SETTINGS, CONFIG_PATH)],
    ["json.md", jsonPage(PROGRAMS, await declarations())],
  ]);
}

if (import.meta.main) {
  const isCheck = Deno.args.includes("--check");
  const stale: string[] = [];
  for (const [name, text] of await pages()) {
    const path = `${DIRECTORY}/${name}`;
    const wanted = await deno(["fmt", "--ext", "md", "-"], text);
    const present = await Deno.readTextFile(path).catch(() => undefined);
    if (present === wanted) continue;
    stale.push(name);
    if (isCheck) continue;
    await Deno.mkdir(DIRECTORY, { recursive: true });
    await Deno.writeTextFile(path, wanted);
  }
  if (isCheck && stale.length > 0) {
    console.error(`docs/reference: out of date: ${stale.join(", ")}: run 'deno task reference'`);
    Deno.exit(1);
  }
}
