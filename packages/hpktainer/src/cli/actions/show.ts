import { findContainer, listContainers } from "../../admin/list_containers.ts";
import { formatContainer, formatContainers } from "../../admin/pure/container_view.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type JsonOption, print, printJson } from "../output.ts";

/** `hpktainer ps`. */
export function list(_caller: Caller, { json }: JsonOption): void {
  const containers = listContainers();
  json ? printJson({ version: 1, containers }) : print(formatContainers(containers));
}

/** `hpktainer show NAME`. */
export function show(_caller: Caller, { json }: JsonOption, name: string): void {
  const container = findContainer(name);
  json ? printJson({ version: 1, container }) : print(formatContainer(container));
}
