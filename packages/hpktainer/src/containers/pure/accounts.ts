import { HpkError } from "@hpk/core";

/** The user that a command runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, ascending. */
  readonly groups: readonly number[];
  /** Home directory; "/" if unknown. */
  readonly home: string;
}

/** Largest number of a user or group: 2^32 - 2 (credentials(7); -1 means "none"). */
const MAX_ID = 4_294_967_294;

/**
 * Resolves `USER[:GROUP]`, by names or numbers, as Docker does: a user that is not in the file has
 * group 0, and a named group replaces all groups of the user.
 *
 * @param text Empty for root.
 * @param passwd Contents of the container's /etc/passwd (passwd(5)); empty if missing.
 * @param group Contents of its /etc/group (group(5)).
 * @param more Additional groups.
 * @throws {HpkError} When a name is not in the file.
 */
export function findAccount(
  text: string,
  passwd: string,
  group: string,
  more: readonly string[],
): Account {
  const [userText = "", groupText] = text.split(":", 2);
  const users = entries(passwd);
  const groups = entries(group);
  const wanted = userText || "0";
  const user = users.find(([name]) => name === wanted) ??
    users.find(([, , id]) => isNumber(wanted) && id === String(Number(wanted)));
  const uid = user !== undefined ? Number(user[2]) : toNumber(wanted, "user", "/etc/passwd");
  const named = groupText === undefined || groupText === ""
    ? undefined
    : groupNumber(groups, groupText);
  const memberOf = named !== undefined || user === undefined
    ? []
    : groups.filter(([, , , members = ""]) => members.split(",").includes(user[0]!))
      .map(([, , id]) => Number(id));
  const gid = named ?? (user === undefined ? 0 : Number(user[3]));
  const further = [...memberOf, ...more.map((name) => groupNumber(groups, name))];
  return {
    uid,
    gid,
    groups: [...new Set(further)].filter((id) => id !== gid).sort((a, b) => a - b),
    home: user?.[5] || "/",
  };
}

/** An /etc/passwd for an image without one: root, and the user that the command runs as. */
export function madePasswd(user: string): string {
  const uid = user.split(":", 1)[0]!;
  const own = isNumber(uid) && Number(uid) !== 0 ? `user:x:${Number(uid)}:0::/:/bin/sh\n` : "";
  return `root:x:0:0:root:/root:/bin/sh\n${own}`;
}

function entries(text: string): string[][] {
  return text.split("\n").map((line) => line.trimEnd().split(":"))
    .filter(([, , id]) => id !== undefined && isNumber(id));
}

function groupNumber(groups: readonly string[][], text: string): number {
  const found = groups.find(([name]) => name === text);
  return found === undefined ? toNumber(text, "group", "/etc/group") : Number(found[2]);
}

function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text) && Number(text) <= MAX_ID;
}

function toNumber(text: string, what: string, file: string): number {
  if (isNumber(text)) return Number(text);
  throw new HpkError({
    what: `cannot run as the ${what} '${text}'`,
    why: `the image has no such ${what} in ${file}`,
    fix: "give a number",
  });
}
