import { HpkError, type HpkErrorParts, oneLine } from "@hpk/core";
import { printable } from "../../shared/pure/printable.ts";
import type { ImageReference } from "./image_reference.ts";

interface Explanation {
  readonly pattern: RegExp;
  readonly why: string;
  /** REGISTRY stands for the registry's name. */
  readonly fix: string;
}

/** Messages for a full disk or an exceeded quota: ENOSPC and EDQUOT. */
const NO_SPACE = /no space left on device|disk quota exceeded/i;

const FULL = {
  why: "the disk is full",
  fix: "free some space, for example with 'hpktainer image prune --all', and try again",
};

/**
 * Messages of registries and skopeo, and what they mean: the codes of the OCI distribution
 * specification ("Error Codes"), and messages of Go's network library. The first match counts.
 */
const EXPLANATIONS: readonly Explanation[] = [
  { pattern: NO_SPACE, ...FULL },
  {
    pattern: /toomanyrequests|rate limit/i,
    why: "the registry limits the rate of requests",
    fix: "wait, or log in with 'skopeo login REGISTRY'",
  },
  {
    pattern:
      /manifest unknown|name unknown|repository name not known|reading manifest .* not found/i,
    why: "its registry does not have it",
    fix: "check the name and tag, for example with 'skopeo list-tags'",
  },
  {
    pattern:
      /unauthorized|authentication required|invalid username\/password|denied|no basic auth|403/i,
    why: "its registry denies access to it, or does not have it",
    fix: "log in with 'skopeo login REGISTRY' as the user who runs this, or set REGISTRY_AUTH_FILE",
  },
  {
    pattern: /server gave HTTP response to HTTPS client/i,
    why: "its registry does not speak TLS",
    fix:
      "set 'insecure = true' for it in /etc/containers/registries.conf if you trust the way there",
  },
  {
    pattern: /x509|certificate|tls:/i,
    why: "the registry's certificate is not trusted",
    fix: "put its CA certificate into /etc/containers/certs.d/REGISTRY/ca.crt",
  },
  {
    pattern:
      /connection refused|no such host|timeout|network is unreachable|no route to host|dial tcp|EOF$|connection reset/i,
    why: "its registry cannot be reached",
    fix: "check the registry's name and the host's network, or use --pull never for a stored image",
  },
  {
    pattern: /no such file or directory|archive file not found/i,
    why: "there is no such file or directory",
    fix: "check the path",
  },
  {
    pattern:
      /no descriptor found for reference|not found in (?:index|archive)|tag .* not found|no image with tag|more than one image in oci|multiple images|tarball .* more than one image/i,
    why: "the file does not contain that image, or contains several and none is named",
    fix: "name one by tag",
  },
  {
    pattern: /source image rejected|policy\.json/i,
    why: "the host's policy does not accept it",
    fix: "see /etc/containers/policy.json",
  },
];

/**
 * Explains why skopeo could not fetch an image.
 *
 * @param reference The image.
 * @param output What skopeo wrote to standard error.
 */
export function explainSkopeo(reference: ImageReference, output: string): HpkError {
  const message = messageOf(output);
  const found = EXPLANATIONS.find(({ pattern }) => pattern.test(message));
  const parts: HpkErrorParts = {
    what: `cannot fetch the image '${reference.name}'`,
    why: found?.why ?? (message || "skopeo failed without a message"),
    fix: found?.fix ?? "see the message of skopeo",
  };
  const registry = reference.transport === "docker" ? reference.registry : "REGISTRY";
  const why = found === undefined ? parts.why : `${parts.why} (${message})`;
  return new HpkError({ ...parts, why, fix: parts.fix.replaceAll("REGISTRY", registry) });
}

/**
 * Explains why umoci could not unpack an image.
 *
 * @param name The image.
 * @param output What umoci wrote.
 */
export function explainUmoci(name: string, output: string): HpkError {
  const what = `unpack the image '${name}'`;
  if (NO_SPACE.test(output)) return diskFull(what);
  return new HpkError({
    what: `cannot ${what}`,
    why: said(output) || "umoci failed without a message",
    fix: "fetch it again; if that does not help, rebuild the image",
  });
}

/**
 * The error for a full disk.
 *
 * @param act What could not be done: "fetch the image 'x'".
 */
export function diskFull(act: string, cause?: unknown): HpkError {
  return new HpkError({ what: `cannot ${act}`, ...FULL }, { cause });
}

/** The message of the last fatal line, `time="…" level=fatal msg="…"`, or the whole output. */
function messageOf(output: string): string {
  const fatal = output.split("\n").findLast((line) => line.includes("level=fatal"));
  const quoted = fatal === undefined ? undefined : /msg=("(?:[^"\\]|\\.)*")/.exec(fatal)?.[1];
  const message = quoted === undefined ? output : unquote(quoted);
  // It repeats the name.
  return said(message.replace(/^Error parsing image name "[^"]*": /, ""));
}

/** A program's message on one line; it may quote a registry or an image. */
function said(output: string): string {
  return oneLine(printable(output));
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted);
  } catch {
    // Go uses some escapes that JSON does not have.
    return quoted.slice(1, -1);
  }
}
