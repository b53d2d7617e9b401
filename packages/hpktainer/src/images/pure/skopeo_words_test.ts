import { assertEquals } from "@std/assert";
import { parseImageReference } from "./image_reference.ts";
import { parsePlatform } from "./platform.ts";
import { copyWords, inspectWords } from "./skopeo_words.ts";

const ACCESS = { authFile: undefined, withoutPolicy: false, temporary: "/t" };
const DIGEST = `sha256:${"a".repeat(64)}`;
const named = (text: string) => parseImageReference(text, "/d");

Deno.test("an image of a registry is copied by digest, for the platform", () => {
  assertEquals(copyWords(named("alpine"), DIGEST, parsePlatform("linux/arm/v7"), "/l", ACCESS), [
    "--tmpdir=/t",
    "--override-os=linux",
    "--override-arch=arm",
    "--override-variant=v7",
    "copy",
    "--dest-compress-format=gzip",
    "--remove-signatures",
    `docker://docker.io/library/alpine@${DIGEST}`,
    "oci:/l:image",
  ]);
});

Deno.test("credentials and trust are passed on", () => {
  const access = { authFile: "/auth.json", withoutPolicy: true, temporary: "/t" };
  assertEquals(inspectWords(named("quay.io/a"), undefined, access), [
    "--insecure-policy",
    "--tmpdir=/t",
    "inspect",
    "--raw",
    "--authfile=/auth.json",
    "docker://quay.io/a:latest",
  ]);
  const copy = copyWords(named("quay.io/a"), undefined, parsePlatform("arm64"), "/l", access);
  assertEquals(copy.includes("--src-authfile=/auth.json"), true);
  assertEquals(copy.some((word) => word.startsWith("--override-variant")), false);
});

Deno.test("only a registry on this host is used without TLS", () => {
  const copy = (name: string) =>
    copyWords(named(name), undefined, parsePlatform("amd64"), "/l", ACCESS);
  assertEquals(copy("localhost:5000/a").includes("--src-tls-verify=false"), true);
  assertEquals(copy("quay.io/a").includes("--src-tls-verify=false"), false);
  assertEquals(copy("oci:/x").includes("--src-tls-verify=false"), false);
  const inspect = (name: string) => inspectWords(named(name), undefined, ACCESS);
  assertEquals(inspect("127.0.0.1:5000/a").includes("--tls-verify=false"), true);
  assertEquals(inspect("quay.io/a").includes("--tls-verify=false"), false);
});

Deno.test("an image from a file is named in skopeo's syntax", () => {
  assertEquals(inspectWords(named("oci:x:web"), DIGEST, ACCESS).at(-1), "oci:/d/x:web");
  const pinned = named(`localhost/a@${DIGEST}`);
  assertEquals(inspectWords(pinned, undefined, ACCESS).at(-1), `docker://localhost/a@${DIGEST}`);
});
