import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseImageReference } from "./image_reference.ts";
import { explainSkopeo, explainUmoci } from "./tool_failure.ts";

const fatal = (message: string) =>
  `time="2026-11-22T01:29:53Z" level=warning msg="something else"
time="2026-11-22T01:29:53Z" level=fatal msg=${JSON.stringify(message)}
`;

const explain = (message: string, name = "quay.io/a/b:1") =>
  explainSkopeo(parseImageReference(name, "/"), message).message;

Deno.test("a message of skopeo is explained and quoted", () => {
  const cases: Record<string, string> = {
    'Error parsing image name "docker://quay.io/a/b:1": reading manifest 1 in quay.io/a/b: manifest unknown: manifest unknown':
      "does not have it",
    "reading manifest x in h/y: name unknown: repository name not known to registry":
      "does not have it",
    "reading manifest latest in h/x: unauthorized: authentication required": "skopeo login quay.io",
    "requested access to the resource is denied": "skopeo login quay.io",
    "unable to retrieve auth token: invalid username/password: unauthorized":
      "skopeo login quay.io",
    "toomanyrequests: You have reached your pull rate limit": "limits the rate",
    "pinging container registry quay.io: dial tcp 192.0.2.1:443: i/o timeout": "cannot be reached",
    "pinging container registry quay.io: dial tcp 127.0.0.1:1: connect: connection refused":
      "cannot be reached",
    "http: server gave HTTP response to HTTPS client": "does not speak TLS",
    "x509: certificate signed by unknown authority": "certs.d/quay.io",
    "writing blob: write /x: no space left on device": "the disk is full",
    "open /nope/index.json: no such file or directory": "there is no such file",
    'creating temp directory: archive file not found: "/nope"': "there is no such file",
    'no descriptor found for reference "nope"': "does not contain that image",
    "Source image rejected: Running image is rejected by policy.": "policy",
  };
  for (const [message, part] of Object.entries(cases)) {
    assertStringIncludes(explain(fatal(message)), part, message);
  }
});

Deno.test("an unknown message is reported unchanged", () => {
  assertEquals(
    explain(fatal('Error parsing image name "docker://x": a "new" failure')),
    "cannot fetch the image 'quay.io/a/b:1': a \"new\" failure; see the message of skopeo",
  );
  assertStringIncludes(explain("panic: no log line\n at x"), "panic: no log line at x");
  assertStringIncludes(explain(""), "failed without a message");
  assertStringIncludes(explain('level=fatal msg="a \\x1b b"'), "a \\x1b b");
});

Deno.test("a known failure names the image once, and quotes the message", () => {
  assertEquals(
    explain(
      fatal(
        'Error parsing image name "oci:/nope": open /nope/index.json: no such file or directory',
      ),
      "oci:/nope",
    ),
    "cannot fetch the image 'oci:/nope': there is no such file or directory (open /nope/index.json: no such file or directory); check the path",
  );
});

Deno.test("a message of umoci is reported, and a full disk explained", () => {
  assertEquals(
    explainUmoci("a", "   create runtime bundle: unpack layer: layer diffid mismatch\n").message,
    "cannot unpack the image 'a': create runtime bundle: unpack layer: layer diffid mismatch; fetch it again; if that does not help, rebuild the image",
  );
  assertStringIncludes(explainUmoci("a", "").message, "without a message");
  assertStringIncludes(explainUmoci("a", "write x: no space left on device").message, "is full");
});

Deno.test("a message from a registry or an image cannot control the terminal", () => {
  const message = explain('level=fatal msg="\\u001b[2J\\u0007"') +
    explainUmoci("a", "\x1b[2J").message;
  assertEquals(message.includes("\x1b"), false, message);
});
