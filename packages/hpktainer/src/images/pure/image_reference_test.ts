import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import {
  asImageId,
  familiarName,
  isLocalRegistry,
  isWholeId,
  parseImageReference,
} from "./image_reference.ts";

const HEX = "0123456789abcdef".repeat(4);
const parse = (text: string) => parseImageReference(text, "/work dir/a");

Deno.test("an image's name is completed as by Docker", () => {
  const cases: Record<string, string> = {
    "alpine": "docker.io/library/alpine:latest",
    "alpine:3.20": "docker.io/library/alpine:3.20",
    "docker.io/alpine": "docker.io/library/alpine:latest",
    "index.docker.io/alpine": "docker.io/library/alpine:latest",
    "docker.io/library/alpine:latest": "docker.io/library/alpine:latest",
    "docker://alpine": "docker.io/library/alpine:latest",
    "docker://quay.io/a/b:c": "quay.io/a/b:c",
    "me/app": "docker.io/me/app:latest",
    "a/b/c/d": "docker.io/a/b/c/d:latest",
    "localhost/app": "localhost/app:latest",
    "localhost:5000/app": "localhost:5000/app:latest",
    "localhost:5000/app:1.0_x-y": "localhost:5000/app:1.0_x-y",
    "192.0.2.7:5000/x": "192.0.2.7:5000/x:latest",
    "[::1]:5000/x": "[::1]:5000/x:latest",
    "[2001:db8::1]/x:y": "[2001:db8::1]/x:y",
    "ghcr.io/o/r": "ghcr.io/o/r:latest",
    "Host/x": "Host/x:latest",
    "a__b/c--d.e_f": "docker.io/a__b/c--d.e_f:latest",
    [`alpine@sha256:${HEX}`]: `docker.io/library/alpine@sha256:${HEX}`,
    [`alpine:3.20@sha256:${HEX}`]: `docker.io/library/alpine@sha256:${HEX}`,
    [`localhost:5000/a/b:1@sha256:${HEX}`]: `localhost:5000/a/b@sha256:${HEX}`,
    "oci:/srv/images": "oci:/srv/images",
    "oci:/srv/images:web": "oci:/srv/images:web",
    "oci:layout:web": "oci:/work dir/a/layout:web",
    "oci:../b/./c//d:t": "oci:/work dir/b/c/d:t",
    "oci-archive:x.tar": "oci-archive:/work dir/a/x.tar",
    "docker-archive:/x.tar:alpine:3.20": "docker-archive:/x.tar:alpine:3.20",
    "docker-archive:/x.tar:@1": "docker-archive:/x.tar:@1",
  };
  for (const [text, name] of Object.entries(cases)) assertEquals(parse(text).name, name, text);
});

Deno.test("the parts of an image's name", () => {
  assertEquals(parse("localhost:5000/a/b:1"), {
    transport: "docker",
    registry: "localhost:5000",
    repository: "a/b",
    tag: "1",
    digest: undefined,
    name: "localhost:5000/a/b:1",
  });
  assertEquals(parse(`x@sha256:${HEX}`), {
    transport: "docker",
    registry: "docker.io",
    repository: "library/x",
    tag: undefined,
    digest: `sha256:${HEX}`,
    name: `docker.io/library/x@sha256:${HEX}`,
  });
  assertEquals(parse("docker-archive:/x.tar:a/b:c"), {
    transport: "docker-archive",
    path: "/x.tar",
    selector: "a/b:c",
    name: "docker-archive:/x.tar:a/b:c",
  });
});

Deno.test("an invalid image name is refused with the reason", () => {
  const cases: Record<string, string> = {
    "": "not a valid repository",
    "Alpine": "lower case",
    "a/B:c": "lower case",
    "alpine:": "not a valid tag",
    "alpine:-x": "not a valid tag",
    [`alpine:${"x".repeat(129)}`]: "not a valid tag",
    "alpine@": "not a valid digest",
    "alpine@sha256:12": "not a valid digest",
    [`alpine@md5:${HEX}`]: "not a valid digest",
    "alpine@a@b": "not a valid digest",
    "a//b": "not a valid repository",
    "/a": "looks like a path",
    "./a.tar": "looks like a path",
    "../a": "looks like a path",
    "~/a": "looks like a path",
    "a b": "not a valid repository",
    "-a": "not a valid repository",
    "a_-b": "not a valid repository",
    "a.-b/c": "not a valid registry",
    "host:port/x": "not a valid registry",
    "a..b/c": "not a valid registry",
    "docker://": "not a valid repository",
    [`q.io/${"a/".repeat(130)}a`]: "255",
    "library://alpine": "support that transport",
    "docker-daemon:alpine:latest": "support that transport",
    "containers-storage:alpine": "support that transport",
    "https://example.com/x": "support that transport",
    "docker://oci://x": "support that transport",
    "oci:": "empty",
    "oci:x:": "empty",
    "oci::x": "empty",
    "oci:x:a b": "space",
    "alpine\nx": "not a valid repository",
    "alpine\0": "not a valid repository",
  };
  for (const [text, part] of Object.entries(cases)) {
    assertThrows(() => parse(text), HpkError, part, JSON.stringify(text));
  }
});

Deno.test("a local registry is this host only", () => {
  for (const registry of ["localhost", "localhost:5000", "127.0.0.1:80", "127.9.9.9", "[::1]:1"]) {
    assertEquals(isLocalRegistry(registry), true, registry);
  }
  for (
    const registry of ["docker.io", "localhost.example", "128.0.0.1", "127.0.0.1.nip.io", "[::2]"]
  ) {
    assertEquals(isLocalRegistry(registry), false, registry);
  }
});

Deno.test("an id is six to 64 hexadecimal digits", () => {
  assertEquals(asImageId("0123abcd4567"), "0123abcd4567");
  assertEquals(asImageId(`sha256:${HEX}`), HEX);
  assertEquals([isWholeId(HEX), isWholeId("0123abcd4567"), isWholeId("alpine")], [
    true,
    false,
    false,
  ]);
  for (const text of ["alpine", "12345", "0123abcd456X", `${HEX}0`, ""]) {
    assertEquals(asImageId(text), undefined, text);
  }
});

Deno.test("the short name of an image lacks the defaults", () => {
  assertEquals(familiarName("docker.io/library/alpine:latest"), "alpine:latest");
  assertEquals(familiarName("docker.io/me/app:1"), "me/app:1");
  assertEquals(familiarName("quay.io/library/x:1"), "quay.io/library/x:1");
  assertEquals(familiarName("library/x:1"), "library/x:1");
});
