/** The things of a host that host-setup changes, and the records that it keeps of them. */

/** Headings of a plan, in the order in which they are shown. */
export const GROUPS = [
  "packages",
  "kernel modules",
  "kernel settings",
  "files and devices",
  "network for Apptainer",
  "firewall",
  "checksum offload",
  "published ports",
  "start at boot",
] as const;

/** A heading of a plan. */
export type Group = typeof GROUPS[number];

/** Kind of a thing: it determines the resource that reads and changes it. */
export type Kind =
  | "package"
  | "module"
  | "sysctl"
  | "directory"
  | "device"
  | "file"
  | "symlink"
  | "bridge"
  | "firewall"
  | "firewalld"
  | "offload"
  | "port"
  | "setting";

/** State of a thing, as text; null if it does not exist. */
export type Value = string | null;

/** A thing of the host. */
export interface Thing {
  /** What it is. */
  readonly kind: Kind;
  /** Its name within its kind: a path, a key, an interface. */
  readonly id: string;
}

/** The wanted state of a thing. */
export interface Wanted extends Thing {
  readonly group: Group;
  readonly value: string;
  /** Why it is wanted: one clause, for the report. */
  readonly reason: string;
}

/** A change of a thing. */
export interface Change extends Thing {
  /** The group that it is shown in. */
  readonly group: Group;
  /** Its value before; null where it is absent. */
  readonly old: Value;
  /** Its value now; null where it is absent. */
  readonly new: Value;
  /** Why it is changed. */
  readonly reason: string;
}

/** The record of a thing that we have changed. */
export interface Entry extends Thing {
  readonly group: Group;
  /** Its value before we changed it for the first time. */
  readonly prior: Value;
  /** The value that we set last; recorded before it is set. */
  readonly set: Value;
  /** The value that we set before that; still in force if the last change was cut short. */
  readonly earlier?: Value;
}

/** Text that identifies a thing. */
export function keyOf({ kind, id }: Thing): string {
  return `${kind} ${id}`;
}

/** Whether a value is one that we have set. */
export function isOurs(entry: Entry, value: Value): boolean {
  return value === entry.set || (entry.earlier !== undefined && value === entry.earlier);
}

/** Present values of things, by {@linkcode keyOf}. */
export type Found = ReadonlyMap<string, Value>;
