/** What of the host is made as wanted, thing by thing, and what is kept on file of it. */

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

/** What a thing is: which resource looks at it and changes it. */
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
  | "port";

/** What a thing is like, as text; null where it is not there. */
export type Value = string | null;

/** A thing of the host. */
export interface Thing {
  readonly kind: Kind;
  /** Its name among those of its kind: a path, a key, an interface. */
  readonly id: string;
}

/** A thing as it should be. */
export interface Wanted extends Thing {
  readonly group: Group;
  readonly value: string;
  /** Why it should be so: one clause, for people. */
  readonly reason: string;
}

/** A thing that is to become something else. */
export interface Change extends Thing {
  readonly group: Group;
  readonly old: Value;
  readonly new: Value;
  readonly reason: string;
}

/** What is on file of a thing that we have changed. */
export interface Entry extends Thing {
  readonly group: Group;
  /** What it was before we changed it for the first time. */
  readonly prior: Value;
  /** What we made it last; written before it was made. */
  readonly set: Value;
  /** What we had made it before that, and it still is where the last change was cut short. */
  readonly earlier?: Value;
}

/** Text that tells things apart. */
export function keyOf({ kind, id }: Thing): string {
  return `${kind} ${id}`;
}

/** Whether a value is one that we have made. */
export function isOurs(entry: Entry, value: Value): boolean {
  return value === entry.set || (entry.earlier !== undefined && value === entry.earlier);
}

/** What the host's things are like, by {@linkcode keyOf}. */
export type Found = ReadonlyMap<string, Value>;
