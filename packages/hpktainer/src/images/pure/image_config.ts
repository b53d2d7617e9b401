import { HpkError } from "@hpk/core";
import { printable } from "../../shared/pure/printable.ts";

/** What an image specifies for its containers (OCI image specification, config.md). */
export interface ImageConfig {
  /**
   * User that the command runs as: `user`, `uid`, `user:group`, `uid:gid` and so on; empty for
   * root.
   */
  readonly user: string;
  /** Environment as `NAME=value`. */
  readonly env: readonly string[];
  /** Words before the arguments; empty if the image has none. */
  readonly entrypoint: readonly string[];
  /** Arguments, or the whole command, if the user gives none. */
  readonly cmd: readonly string[];
  /** Absolute path; empty for `/`. */
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Signal that asks the command to end, such as `SIGTERM` or `15`; empty if not set. */
  readonly stopSignal: string;
  /** Ports that the command listens on: `80/tcp`, sorted. */
  readonly exposedPorts: readonly string[];
  /** Directories whose content outlives a change of the image, sorted. */
  readonly volumes: readonly string[];
}

/** An image's configuration, and what the store needs from it. */
export interface ImageDescription {
  readonly config: ImageConfig;
  /** Operating system and machine as Go names them: `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
  /** When it was built, ISO 8601; empty if unknown. */
  readonly created: string;
  /** Digest of each layer's uncompressed archive, lowest first. */
  readonly diffIds: readonly string[];
}

/**
 * Reads an image's configuration.
 *
 * @param json The configuration as it is in the registry.
 * @throws {HpkError} When it is not an image's configuration.
 */
export function parseImageConfig(json: string): ImageDescription {
  const root = record(parseJson(json), "");
  const config = record(root["config"] ?? {}, "config");
  const rootfs = record(root["rootfs"], "rootfs");
  const variant = text(root["variant"], "variant");
  const platform = [text(root["os"], "os"), text(root["architecture"], "architecture")];
  if (variant !== "") platform.push(variant);
  const created = text(root["created"], "created");
  return {
    config: {
      user: text(config["User"], "config.User"),
      env: texts(config["Env"], "config.Env"),
      entrypoint: texts(config["Entrypoint"], "config.Entrypoint"),
      cmd: texts(config["Cmd"], "config.Cmd"),
      workingDir: text(config["WorkingDir"], "config.WorkingDir"),
      labels: labels(config["Labels"]),
      stopSignal: text(config["StopSignal"], "config.StopSignal"),
      exposedPorts: keys(config["ExposedPorts"], "config.ExposedPorts").map(withProtocol).sort(),
      volumes: keys(config["Volumes"], "config.Volumes").sort(),
    },
    platform: printable(platform.join("/")),
    created: Number.isNaN(Date.parse(created)) ? "" : created,
    diffIds: texts(rootfs["diff_ids"], "rootfs.diff_ids").map(digest),
  };
}

/** A port without a protocol is a TCP port (config.md, ExposedPorts). */
function withProtocol(port: string): string {
  return port.includes("/") ? port : `${port}/tcp`;
}

function digest(value: string): string {
  return /^sha256:[0-9a-f]{64}$/.test(value) ? value : malformed("rootfs.diff_ids");
}

function labels(value: unknown): Record<string, string> {
  const entries = Object.entries(record(value ?? {}, "config.Labels"));
  return Object.fromEntries(entries.map(([key, label]) => [key, text(label, "config.Labels")]));
}

function keys(value: unknown, at: string): string[] {
  return Object.keys(record(value ?? {}, at));
}

function texts(value: unknown, at: string): string[] {
  const list = value ?? [];
  if (!Array.isArray(list)) malformed(at);
  return (list as unknown[]).map((item) => typeof item === "string" ? item : malformed(at));
}

function text(value: unknown, at: string): string {
  const given = value ?? "";
  return typeof given === "string" ? given : malformed(at);
}

function record(value: unknown, at: string): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : malformed(at);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return malformed("");
  }
}

function malformed(at: string): never {
  throw new HpkError({
    what: "cannot use the image",
    why: at === ""
      ? "its configuration is not a JSON object"
      : `its configuration has an invalid '${at}'`,
    fix: "name a container image, not another kind of artefact, or rebuild it",
  });
}
