import { HpkError } from "@hpk/core";

/** An image in a registry. */
export interface RegistryReference {
  readonly transport: "docker";
  /** Host name with its port if it has one: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** Path in the registry: `library/alpine`. */
  readonly repository: string;
  /** Undefined if a digest is given, which is more precise. */
  readonly tag: string | undefined;
  /** `sha256:…` of a manifest. */
  readonly digest: string | undefined;
  /** The full name: `docker.io/library/alpine:latest`. */
  readonly name: string;
}

/** An image in a file or directory of this host. */
export interface FileReference {
  readonly transport: "oci" | "oci-archive" | "docker-archive";
  /** Absolute path of the directory or archive. */
  readonly path: string;
  /** Which of the images in it; undefined if it holds only one. */
  readonly selector: string | undefined;
  /** The full name: `oci:/srv/images:web`. */
  readonly name: string;
}

/** Where an image comes from. */
export type ImageReference = RegistryReference | FileReference;

const FILE_TRANSPORTS = ["oci", "oci-archive", "docker-archive"] as const;

/** Transports of other programs, which we cannot read. */
const FOREIGN_TRANSPORT =
  /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/|(?:containers-storage|dir|docker-daemon|ostree|sif|tarball):)/;

/** The default registry, and its other name (Docker's reference grammar). */
const DEFAULT_REGISTRY = "docker.io";
const LEGACY_REGISTRY = "index.docker.io";
const DEFAULT_NAMESPACE = "library";
const DEFAULT_TAG = "latest";

/**
 * Longest registry and repository together, in characters (reference grammar, NameTotalLengthMax).
 */
const MAX_NAME = 255;

const REGISTRY =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads the name of an image as Docker and Podman write it: `alpine`, `ghcr.io/a/b:1`,
 * `docker://alpine@sha256:…`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:NAME]`.
 *
 * @param text What the user wrote.
 * @param cwd Absolute path of the directory that relative paths start from.
 * @throws {HpkError} When it does not name an image.
 */
export function parseImageReference(text: string, cwd: string): ImageReference {
  for (const transport of FILE_TRANSPORTS) {
    if (text.startsWith(`${transport}:`)) {
      return parseFile(text, transport, text.slice(transport.length + 1), cwd);
    }
  }
  const name = text.startsWith("docker://") ? text.slice("docker://".length) : text;
  if (FOREIGN_TRANSPORT.test(name)) {
    throw new HpkError({
      what: `cannot use the image '${text}'`,
      why: "hpktainer does not support that transport",
      fix: `use docker://, ${FILE_TRANSPORTS.map((one) => `${one}:`).join(", ")}`,
    });
  }
  if (/^[./~]/.test(name)) {
    refuse(text, "it looks like a path", "put oci:, oci-archive: or docker-archive: before it");
  }
  return parseRegistry(text, name);
}

/** The digits of a text that may be an image's id or a prefix of one; undefined otherwise. */
export function asImageId(text: string): string | undefined {
  return /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(text)?.[1];
}

/** Whether a text can only be an id, not a name: all 64 digits. */
export function isWholeId(text: string): boolean {
  return asImageId(text)?.length === 64;
}

function parseFile(
  text: string,
  transport: FileReference["transport"],
  rest: string,
  cwd: string,
): FileReference {
  // The path ends at the first colon, as with skopeo (containers-transports(5)).
  const colon = rest.indexOf(":");
  const path = colon === -1 ? rest : rest.slice(0, colon);
  const selector = colon === -1 ? undefined : rest.slice(colon + 1);
  if (path === "" || selector === "") {
    refuse(text, "a path or tag is empty", `write ${transport}:PATH or ${transport}:PATH:TAG`);
  }
  if (/[\s\0]/.test(selector ?? "")) refuse(text, "the tag contains a space", "correct the tag");
  const absolute = absolutePath(path, cwd);
  const name = [transport, absolute, ...(selector === undefined ? [] : [selector])].join(":");
  return { transport, path: absolute, selector, name };
}

function absolutePath(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith("/") ? "" : cwd}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function parseRegistry(text: string, name: string): RegistryReference {
  const at = name.indexOf("@");
  const digest = at === -1 ? undefined : name.slice(at + 1);
  const tagged = at === -1 ? name : name.slice(0, at);
  const { registry, path } = splitRegistry(tagged);
  const colon = path.lastIndexOf(":");
  const repository = colon === -1 ? path : path.slice(0, colon);
  const tag = colon === -1 ? DEFAULT_TAG : path.slice(colon + 1);
  if (!REGISTRY.test(registry)) {
    refuse(text, `'${registry}' is not a valid registry`, "write HOST[:PORT]/NAME[:TAG]");
  }
  if (repository.toLowerCase() !== repository) {
    refuse(text, "a repository's name must be in lower case", `write ${repository.toLowerCase()}`);
  }
  if (!repository.split("/").every((part) => COMPONENT.test(part))) {
    refuse(text, `'${repository}' is not a valid repository`, "write [REGISTRY/]NAME[:TAG]");
  }
  if (`${registry}/${repository}`.length > MAX_NAME) {
    refuse(text, `the name is longer than ${MAX_NAME} characters`, "check the name");
  }
  if (!TAG.test(tag)) refuse(text, `'${tag}' is not a valid tag`, "write [REGISTRY/]NAME[:TAG]");
  if (digest !== undefined && !DIGEST.test(digest)) {
    refuse(
      text,
      `'${digest}' is not a valid digest`,
      "write NAME@sha256: and 64 hexadecimal digits",
    );
  }
  const official = registry === DEFAULT_REGISTRY && !repository.includes("/")
    ? `${DEFAULT_NAMESPACE}/${repository}`
    : repository;
  const suffix = digest === undefined ? `:${tag}` : `@${digest}`;
  return {
    transport: "docker",
    registry,
    repository: official,
    tag: digest === undefined ? tag : undefined,
    digest,
    name: `${registry}/${official}${suffix}`,
  };
}

/** The first part is a registry if it has a dot, a colon or a capital, or is localhost. */
function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, slash === -1 ? 0 : slash);
  const isRegistry = /[.:A-Z]/.test(first) || first === "localhost";
  if (!isRegistry) return { registry: DEFAULT_REGISTRY, path: name };
  return {
    registry: first === LEGACY_REGISTRY ? DEFAULT_REGISTRY : first,
    path: name.slice(slash + 1),
  };
}

/**
 * Whether a registry is on this host and TLS is optional, as with Docker: localhost, 127.0.0.0/8
 * and ::1.
 */
export function isLocalRegistry(registry: string): boolean {
  const host = registry.replace(/:[0-9]+$/, "");
  return host === "localhost" || host === "[::1]" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

/**
 * The short name, as Docker shows it: without the default registry and namespace.
 *
 * @param name The full name.
 */
export function familiarName(name: string): string {
  const inDefault = `${DEFAULT_REGISTRY}/`;
  const short = name.startsWith(inDefault) ? name.slice(inDefault.length) : name;
  const official = `${DEFAULT_NAMESPACE}/`;
  const isOfficial = short !== name && short.startsWith(official);
  return isOfficial ? short.slice(official.length) : short;
}

function refuse(text: string, why: string, fix: string): never {
  throw new HpkError({ what: `cannot use the image '${text}'`, why, fix });
}
