import { HpkError } from "@hpk/core";
import { readSize } from "./sizes.ts";

/** A mount that the user requests. */
export type VolumeRequest =
  /** A file or directory of the host. */
  | {
    readonly kind: "bind";
    /** As given by the user, maybe relative. */
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
    /** Additional mount options, such as "rshared". */
    readonly options: readonly string[];
  }
  /** A directory of the container's own, with the image's content. */
  | { readonly kind: "anonymous"; readonly target: string }
  /** A file system in memory. */
  | { readonly kind: "tmpfs"; readonly target: string; readonly options: readonly string[] };

/** Propagation flags, and flags of Docker or Podman that have no effect here. */
const PROPAGATIONS = ["shared", "rshared", "slave", "rslave", "private", "rprivate"];
const NO_EFFECT = ["z", "Z", "nocopy", "consistent", "cached", "delegated"];

/**
 * Reads a value of --volume: `SRC:DST`, `SRC:DST:OPTIONS` or `DST`.
 *
 * @throws {HpkError} When it is wrong.
 */
export function readVolume(text: string): VolumeRequest {
  const parts = text.split(":");
  if (parts.length > 3) {
    wrong("-v", text, "it has more than three parts", "write SOURCE:TARGET or SOURCE:TARGET:ro");
  }
  if (parts.length === 1) return { kind: "anonymous", target: target("-v", text, parts[0]!) };
  const [source, destination, mode = ""] = parts as [string, string, string?];
  if (source === "") wrong("-v", text, "the source is empty", "write SOURCE:TARGET");
  let readOnly = false;
  const options: string[] = [];
  for (const word of mode.split(",").filter((part) => part !== "")) {
    const lower = word.toLowerCase();
    if (lower === "ro" || lower === "rw") readOnly = lower === "ro";
    else if (PROPAGATIONS.includes(word)) options.push(word);
    else if (!NO_EFFECT.includes(word)) {
      wrong("-v", text, `'${word}' is not a mode`, "use ro or rw");
    }
  }
  return { kind: "bind", source, target: target("-v", text, destination), readOnly, options };
}

/**
 * Reads a value of --tmpfs: `DST` or `DST:OPTIONS`.
 *
 * @throws {HpkError} When it is wrong.
 */
export function readTmpfs(text: string): VolumeRequest {
  const colon = text.indexOf(":");
  const path = colon === -1 ? text : text.slice(0, colon);
  const given = colon === -1 ? [] : text.slice(colon + 1).split(",").filter((part) => part !== "");
  return { kind: "tmpfs", target: target("--tmpfs", text, path), options: given };
}

/**
 * Reads a value of --mount: `type=bind,source=/a,target=/b,readonly`.
 *
 * @throws {HpkError} When it is wrong.
 */
export function readMount(text: string): VolumeRequest {
  const fields = new Map(
    text.split(",").map((field) => {
      const equals = field.indexOf("=");
      return equals === -1
        ? [field.trim().toLowerCase(), "true"]
        : [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
    }),
  );
  const take = (...names: string[]): string | undefined => {
    let found: string | undefined;
    for (const name of names) {
      found ??= fields.get(name);
      fields.delete(name);
    }
    return found;
  };
  const type = take("type") ?? "volume";
  const source = take("source", "src");
  const path = target("--mount", text, take("target", "dst", "destination") ?? "");
  const readOnly = ["true", "1"].includes(take("readonly", "ro") ?? "false");
  const propagation = take("bind-propagation");
  const size = take("tmpfs-size");
  const mode = take("tmpfs-mode");
  const [unknown] = fields.keys();
  if (unknown !== undefined) {
    wrong("--mount", text, `'${unknown}' is not a known key`, "use type, source, target, readonly");
  }
  switch (type) {
    case "bind":
      if (source === undefined || source === "") {
        wrong("--mount", text, "it has no source", "add source=PATH");
      }
      return {
        kind: "bind",
        source: source!,
        target: path,
        readOnly,
        options: propagation === undefined ? [] : [propagation],
      };
    case "tmpfs":
      return {
        kind: "tmpfs",
        target: path,
        options: [
          ...(size === undefined ? [] : [`size=${readSize("--mount tmpfs-size", size)}`]),
          ...(mode === undefined ? [] : [`mode=${mode}`]),
          ...(readOnly ? ["ro"] : []),
        ],
      };
    case "volume":
      if (source === undefined) return { kind: "anonymous", target: path };
      return wrong(
        "--mount",
        text,
        "named volumes are not supported",
        "use type=bind with a directory of the host",
      );
    default:
      return wrong("--mount", text, `'${type}' is not a type`, "use bind, volume or tmpfs");
  }
}

/**
 * Checks that each path is mounted once.
 *
 * @throws {HpkError} When two mounts have the same target.
 */
export function checkTargets(volumes: readonly VolumeRequest[]): readonly VolumeRequest[] {
  const seen = new Set<string>();
  for (const { target } of volumes) {
    if (seen.has(target)) {
      throw new HpkError({
        what: `cannot mount two things at ${target}`,
        why: "a path can have only one mount",
        fix: "leave one out",
      });
    }
    seen.add(target);
  }
  return volumes;
}

/** An absolute path without "." and "..", double or trailing slashes. */
function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function target(option: string, text: string, path: string): string {
  if (!path.startsWith("/")) {
    wrong(option, text, `the path in the container is not absolute: '${path}'`, "begin it with /");
  }
  const normal = normalPath(path);
  if (normal === "/") wrong(option, text, "the root cannot be replaced", "name another path");
  return normal;
}

function wrong(option: string, text: string, why: string, fix: string): never {
  throw new HpkError({ what: `cannot use ${option} '${text}'`, why, fix });
}
