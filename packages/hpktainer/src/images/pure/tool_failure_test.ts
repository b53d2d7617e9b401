import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseImageReference } from "./image_reference.ts";
import { explainSkopeo, explainUmoci } from "./tool_failure.ts";

const fatal = (message: string) =>
  `time="2026-11-22T01:29:53Z" level=warning msg="something else"
time="2026-11-22T01:29:53Z" level=fatal msg=${JSON.stringify(message)}
`;

const explain = (message: string, name = "quay.io/a/b:1") =>
  explainSkopeo(parseImageReference(name, "/"), message).message;

Deno.test("what skopeo says is explained, with what it said", () => {
  const cases: Record<string, string> = {
    'Error parsing image name "docker://quay.io/a/b:1": reading manifest 1 in quay.io/a/b: manifest unknown: manifest unknown':
      "no such image",
    "reading manifest x in h/y: name unknown: repository name not known to registry":
      "no such image",
    "reading manifest latest in h/x: unauthorized: authentication required": "skopeo login quay.io",
    "requested access to the resource is denied": "skopeo login quay.io",
    "unable to retrieve auth token: invalid username/password: unauthorized":
      "skopeo login quay.io",
    "toomanyrequests: You have reached your pull rate limit": "no more requests",
    "pinging container registry quay.io: dial tcp 192.0.2.1:443: i/o timeout": "cannot be reached",
    "pinging container registry quay.io: dial tcp 127.0.0.1:1: connect: connection refused":
      "cannot be reached",
    "http: server gave HTTP response to HTTPS client": "does not speak TLS",
    "x509: certificate signed by unknown authority": "certs.d/quay.io",
    "writing blob: write /x: no space left on device": "the disk is full",
    "open /nope/index.json: no such file or directory": "there is no such file",
    'creating temp directory: archive file not found: "/nope"': "there is no such file",
    'no descriptor found for reference "nope"': "no image of that name",
    "Source image rejected: Running image is rejected by policy.": "policy",
  };
  for (const [message, part] of Object.entries(cases)) {
    assertStringIncludes(explain(fatal(message)), part, message);
  }
});

Deno.test("what is not known is told as it is", () => {
  assertEquals(
    explain(fatal('Error parsing image name "docker://x": a "new" failure')),
    "cannot get the image 'quay.io/a/b:1': a \"new\" failure; see what skopeo says",
  );
  assertStringIncludes(explain("panic: no log line\n at x"), "panic: no log line at x");
  assertStringIncludes(explain(""), "failed without a message");
  assertStringIncludes(explain('level=fatal msg="a \\x1b b"'), "a \\x1b b");
});

Deno.test("a known failure names the image once, and what was said", () => {
  assertEquals(
    explain(
      fatal(
        'Error parsing image name "oci:/nope": open /nope/index.json: no such file or directory',
      ),
      "oci:/nope",
    ),
    "cannot get the image 'oci:/nope': there is no such file or directory (open /nope/index.json: no such file or directory); check the path",
  );
});

Deno.test("what umoci says is told, and a full disk explained", () => {
  assertEquals(
    explainUmoci("a", "   create runtime bundle: unpack layer: layer diffid mismatch\n").message,
    "cannot unpack the image 'a': create runtime bundle: unpack layer: layer diffid mismatch; fetch it again; if it stays so, have the image built again",
  );
  assertStringIncludes(explainUmoci("a", "").message, "without a message");
  assertStringIncludes(explainUmoci("a", "write x: no space left on device").message, "is full");
});

Deno.test("a registry or an image cannot drive the terminal by what it says", () => {
  const message = explain('level=fatal msg="\\u001b[2J\\u0007"') +
    explainUmoci("a", "\x1b[2J").message;
  assertEquals(message.includes("\x1b"), false, message);
});
