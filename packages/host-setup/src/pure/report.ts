/** Reports, as text and as JSON. */

import { type Change, type Group, GROUPS, type Kind, type Thing, type Value } from "./item.ts";

/** A plan, or its result. */
export interface SetupReport {
  /** What was changed, or would be. */
  readonly changes: readonly Change[];
  /** Notes that stop nothing. */
  readonly notes: readonly string[];
  /** Problems that keep the host from being ready, with what to do. */
  readonly problems: readonly string[];
}

/** A thing that --undo leaves. */
export interface LeftThing extends Thing {
  /** Why it is left. */
  readonly why: string;
  /** Whether a later --undo can restore it. */
  readonly later: boolean;
}

/** Result of --undo. */
export interface UndoReport {
  /** What is as it was before. */
  readonly restored: readonly Omit<Change, "reason">[];
  /** What is left as it is. */
  readonly left: readonly LeftThing[];
}

/** A value in a line of text. */
export function valueText(kind: Kind, value: Value): string {
  if (value === null) return "absent";
  const lines = value.trimEnd().split("\n").length;
  return lines > 1 ? `${lines} lines` : kind === "file" ? "1 line" : value;
}

/** A thing's name in the report. */
function title({ kind, id }: Thing): string {
  switch (kind) {
    case "sysctl":
      return id.includes(".") ? id : id.replaceAll("/", ".");
    case "offload":
      return `checksum offload of ${id}`;
    case "firewall":
      return `our chains in ${id}`;
    case "firewalld":
      return `${id} in firewalld`;
    case "file":
    case "symlink":
    case "setting":
    case "device":
      return id;
    default:
      return `${kind} ${id}`;
  }
}

/** The report of --plan and --apply. */
export function formatSetup(report: SetupReport, isDone: boolean): string {
  const { changes, notes, problems } = report;
  const sections = GROUPS.map((group) => formatGroup(group, changes)).filter((text) => text !== "");
  const count = changes.length === 1 ? "1 change" : `${changes.length} changes`;
  const summary = changes.length === 0
    ? isDone ? "nothing to change: the host is set up" : "nothing would change"
    : isDone
    ? `${count} made; 'host-setup --undo' reverts them`
    : `${count}; 'host-setup --apply' makes them`;
  const remarks = [
    ...notes.map((note) => `note: ${note}`),
    ...problems.map((problem) => `problem: ${problem}`),
  ];
  const lines = problems.length > 0 && changes.length === 0 ? [] : [summary];
  return [...sections, [...remarks, ...lines].join("\n")].filter((part) => part !== "")
    .map((part) => `${part}\n`).join("\n");
}

function formatGroup(group: Group, changes: readonly Change[]): string {
  const own = changes.filter((change) => change.group === group);
  if (own.length === 0) return "";
  return [group, ...own.map(formatChange)].join("\n");
}

function formatChange(change: Change): string {
  const { kind, old, reason } = change;
  const values = `${valueText(kind, old)} -> ${valueText(kind, change.new)}`;
  return [`  ${title(change)}: ${values}`, `      ${reason}`, ...formatLines(change)].join("\n");
}

/** The lines that a multi-line value gains and loses. */
function formatLines({ kind, old, new: wanted }: Change): string[] {
  if (kind !== "file" && kind !== "firewall") return [];
  const before = (old ?? "").split("\n").filter((line) => line !== "");
  const after = (wanted ?? "").split("\n").filter((line) => line !== "");
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `      - ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `      + ${line}`),
  ];
}

/** The report of --undo. */
export function formatUndo({ restored, left }: UndoReport): string {
  const lines = [
    ...restored.map((change) =>
      `${title(change)}: ${valueText(change.kind, change.old)} -> ${
        valueText(change.kind, change.new)
      }`
    ),
    ...left.map((thing) => `left: ${title(thing)}: ${thing.why}`),
  ];
  if (lines.length === 0) return "nothing to undo: host-setup has changed nothing on this host\n";
  return `${lines.join("\n")}\n`;
}

/** Whether --undo has to be repeated later. */
export function isUnfinished({ left }: UndoReport): boolean {
  return left.some(({ later }) => later);
}
