import { HpkError } from "@hpk/core";
import {
  formatContainerList,
  inspectionOf,
  type ListedContainer,
  listedContainer,
} from "../../containers/pure/container_text.ts";
import {
  findStoredContainer,
  firstProcessOf,
  listStoredContainers,
  requireRootForContainers,
} from "../../containers/store.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type FormatOption, type JsonOption, print, printJson, wantsJson } from "../output.ts";

/** Options of `hpktainer container ls`. */
export interface ListOptions extends JsonOption, FormatOption {
  readonly all?: true;
  readonly quiet?: true;
  readonly last?: number;
  readonly filter?: readonly string[];
  readonly trunc: boolean;
}

/** `hpktainer container ls`. */
export function list(
  caller: Caller,
  { all, quiet, last, filter = [], trunc, json, format }: ListOptions,
): void {
  requireRootForContainers(caller);
  const wanted = listStoredContainers().map(listedContainer)
    .filter(({ status }) =>
      all || last !== undefined || filter.some(isOnStatus) || status === "running"
    )
    .filter((listed) => filter.every((text) => matches(listed, text)))
    .slice(0, last);
  if (wantsJson(json, format)) return printJson({ version: 1, containers: wanted });
  print(
    quiet
      ? wanted.map(({ id }) => `${id}\n`).join("")
      : formatContainerList(wanted, !trunc, Date.now()),
  );
}

/** `hpktainer container inspect CONTAINER...`. */
export function inspect(caller: Caller, { format }: FormatOption, ...names: string[]): void {
  wantsJson(undefined, format);
  requireRootForContainers(caller);
  printJson(names.map((name) => {
    const found = findStoredContainer(name);
    const isRunning = found.status === "running";
    const pid = isRunning ? firstProcessOf(found.container.id, "inspect").pid : undefined;
    return inspectionOf(found, pid);
  }));
}

function isOnStatus(filter: string): boolean {
  return filter.startsWith("status=");
}

function matches(listed: ListedContainer, filter: string): boolean {
  const [key, value = ""] = filter.split(/=(.*)/s);
  switch (key) {
    case "name":
      return listed.name.includes(value);
    case "id":
      return listed.id.startsWith(value);
    case "status":
      return listed.status === value;
    case "label": {
      const [label = "", wanted] = value.split(/=(.*)/s);
      return Object.hasOwn(listed.labels, label) &&
        (wanted === undefined || listed.labels[label] === wanted);
    }
    default:
      throw new HpkError({
        what: `cannot filter by '${filter}'`,
        why: "there is no such filter",
        fix: "use name=, id=, status= or label=",
      });
  }
}
