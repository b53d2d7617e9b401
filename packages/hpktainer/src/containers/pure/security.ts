import type { ReadOptionFile } from "./environment.ts";
import { capabilityNumber, HpkError } from "@hpk/core";

/** Security options of a container. */
export interface Security {
  /** All capabilities and devices, and nothing masked. */
  readonly privileged: boolean;
  /** Names such as "CAP_NET_ADMIN", or "ALL". */
  readonly addedCapabilities: readonly string[];
  readonly droppedCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** The seccomp filter: ours, none, or a profile in the format of the OCI specification. */
  readonly seccomp: "default" | "unconfined" | Readonly<Record<string, unknown>>;
}

/**
 * Reads the security options.
 *
 * @param privileged Whether --privileged is given.
 * @param all Returns every value of an option.
 * @param readFile Reads a file named by an option.
 * @throws {HpkError} On a wrong value.
 */
export function readSecurity(
  privileged: boolean,
  all: (name: string) => readonly string[],
  readFile: ReadOptionFile,
): Security {
  let noNewPrivileges = false;
  let seccomp: Security["seccomp"] = privileged ? "unconfined" : "default";
  for (const text of all("security-opt")) {
    const [name, value] = text.split(/[=:](.*)/s);
    if (name === "no-new-privileges") noNewPrivileges = value !== "false";
    else if (name === "seccomp" && value === "unconfined") seccomp = "unconfined";
    else if (name === "seccomp" && value !== undefined) seccomp = readProfile(value, readFile);
    else if (text !== "label=disable" && text !== "apparmor=unconfined") {
      // Those two request the default: no label and no profile.
      throw new HpkError({
        what: `cannot use --security-opt ${text}`,
        why: "AppArmor profiles and SELinux labels are not supported",
        fix: "use no-new-privileges or seccomp=FILE",
      });
    }
  }
  return {
    privileged,
    addedCapabilities: all("cap-add").map((name) => readCapability("--cap-add", name)),
    droppedCapabilities: all("cap-drop").map((name) => readCapability("--cap-drop", name)),
    noNewPrivileges,
    seccomp,
  };
}

function readCapability(option: string, text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, "");
  if (name === "ALL") return name;
  if (capabilityNumber(`CAP_${name}`) !== undefined) return `CAP_${name}`;
  throw new HpkError({
    what: `cannot use ${option} ${text}`,
    why: "there is no such capability",
    fix: "give a name of capabilities(7), such as NET_ADMIN, or ALL",
  });
}

function readProfile(
  path: string,
  readFile: ReadOptionFile,
): Readonly<Record<string, unknown>> {
  const option = "--security-opt seccomp";
  let profile: unknown;
  try {
    profile = JSON.parse(readFile(option, path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    profile = undefined;
  }
  if (typeof profile === "object" && profile !== null && "defaultAction" in profile) {
    return profile as Record<string, unknown>;
  }
  throw new HpkError({
    what: `cannot use ${option}=${path}`,
    why: "it is not a seccomp profile",
    fix: "give JSON of the OCI runtime specification, linux.seccomp",
  });
}
