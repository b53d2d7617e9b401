import { findContainer, listContainers } from "../../admin/list_containers.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type JsonOption, print, printJson } from "../output.ts";

/** `hpktainer ps`. */
export async function list(_caller: Caller, { json }: JsonOption): Promise<void> {
  const containers = listContainers();
  if (json) return printJson({ version: 1, containers });
  const { formatContainers } = await import("../../admin/pure/container_text.ts");
  print(formatContainers(containers));
}

/** `hpktainer show NAME`. */
export async function show(
  _caller: Caller,
  { json }: JsonOption,
  name: string,
): Promise<void> {
  const container = findContainer(name);
  if (json) return printJson({ version: 1, container });
  const { formatContainer } = await import("../../admin/pure/container_text.ts");
  print(formatContainer(container));
}
