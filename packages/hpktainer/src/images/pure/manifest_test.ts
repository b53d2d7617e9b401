import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { chooseInstance, parseManifest, readLayoutIndex } from "./manifest.ts";
import { parsePlatform } from "./platform.ts";

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const CONFIG = {
  mediaType: "application/vnd.oci.image.config.v1+json",
  digest: digest("c"),
  size: 5,
};
const LAYER = { mediaType: "application/x", digest: digest("1"), size: 7 };

Deno.test("the manifest of one image names its configuration and layers", () => {
  const text = JSON.stringify({ schemaVersion: 2, config: CONFIG, layers: [LAYER] });
  assertEquals(parseManifest(text), {
    kind: "image",
    config: { digest: digest("c"), size: 5 },
    layers: [{ digest: digest("1"), size: 7 }],
  });
});

Deno.test("a list names an image for each platform, and the best is chosen", () => {
  const entry = (character: string, architecture: string, variant?: string) => ({
    digest: digest(character),
    size: 1,
    platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
  });
  const list = parseManifest(JSON.stringify({
    schemaVersion: 2,
    manifests: [
      entry("a", "amd64"),
      entry("5", "arm", "v5"),
      entry("6", "arm", "v6"),
      entry("8", "arm64", "v8"),
      { digest: digest("0"), size: 1, platform: { os: "unknown", architecture: "unknown" } },
    ],
  }));
  if (list.kind !== "list") throw new Error(list.kind);
  const chosen = (platform: string) =>
    chooseInstance("x", list.instances, parsePlatform(platform)).digest;
  assertEquals(chosen("linux/amd64"), digest("a"));
  assertEquals(chosen("linux/arm64"), digest("8"));
  assertEquals(chosen("linux/arm/v7"), digest("6"));
  assertEquals(chosen("linux/arm"), digest("5"));
  const error = assertThrows(() => chosen("linux/s390x"), HpkError);
  assertEquals(
    error.message,
    "cannot use the image 'x': it is not for linux/s390x, but for linux/amd64, linux/arm/v5, linux/arm/v6, linux/arm64/v8; name another image or --platform",
  );
});

Deno.test("Docker's schema 1 is recognised", () => {
  assertEquals(parseManifest('{"schemaVersion":1}'), { kind: "legacy" });
});

Deno.test("an invalid manifest is refused", () => {
  const helm = { ...CONFIG, mediaType: "application/vnd.cncf.helm.config.v1+json" };
  const cases: [string, string][] = [
    ["", "malformed"],
    ["[1", "malformed"],
    ["null", "malformed"],
    ["{}", "malformed"],
    [JSON.stringify({ config: CONFIG }), "malformed"],
    [JSON.stringify({ config: { ...CONFIG, digest: "sha256:../../x" }, layers: [] }), "malformed"],
    [JSON.stringify({ config: CONFIG, layers: [{ ...LAYER, size: "9" }] }), "malformed"],
    [JSON.stringify({ config: CONFIG, layers: [null] }), "malformed"],
    [JSON.stringify({ manifests: [{}] }), "malformed"],
    [JSON.stringify({ config: helm, layers: [] }), "vnd.cncf.helm"],
  ];
  for (const [text, part] of cases) assertThrows(() => parseManifest(text), HpkError, part, text);
});

Deno.test("an index names the manifest of its image", () => {
  const index = JSON.stringify({ manifests: [{ digest: digest("d"), size: 1 }] });
  assertEquals(readLayoutIndex(index), digest("d"));
  assertThrows(() => readLayoutIndex('{"manifests":[]}'), HpkError, "malformed");
});
