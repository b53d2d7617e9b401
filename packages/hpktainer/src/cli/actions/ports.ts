import { addPorts, listPorts, removePorts } from "../../ports/change_ports.ts";
import { formatPorts, type PortView } from "../../ports/pure/port_view.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type JsonOption, print, printJson } from "../output.ts";

/** `hpktainer port ls [NAME]`. */
export function list(_caller: Caller, options: JsonOption, name?: string): void {
  show(listPorts(name), options);
}

/** `hpktainer port add NAME PORTS...`. */
export async function add(
  caller: Caller,
  options: JsonOption,
  name: string,
  ...ports: string[]
): Promise<void> {
  show(await addPorts(caller, name, ports), options);
}

/** `hpktainer port rm NAME PORTS...`. */
export async function remove(
  caller: Caller,
  options: JsonOption,
  name: string,
  ...ports: string[]
): Promise<void> {
  show(await removePorts(caller, name, ports), options);
}

function show(ports: readonly PortView[], { json }: JsonOption): void {
  json ? printJson({ version: 1, ports }) : print(formatPorts(ports));
}
