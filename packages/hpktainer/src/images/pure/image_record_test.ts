import { assertEquals } from "@std/assert";
import {
  type ImageLease,
  type ImageRecord,
  nameWithDigest,
  parseImageLease,
  parseImageRecord,
  sha256,
  treeName,
} from "./image_record.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${HEX}`;

const RECORD: ImageRecord = {
  version: 1,
  reference: "docker.io/library/alpine:latest",
  platform: "linux/amd64",
  digest: DIGEST,
  id: DIGEST,
  sourceDigest: null,
  source: null,
  tree: HEX,
  size: 1,
  blobs: [DIGEST],
  created: "",
  pulled: "2026-01-01T00:00:00.000Z",
  config: {
    user: "",
    env: [],
    entrypoint: [],
    cmd: [],
    workingDir: "",
    labels: {},
    stopSignal: "",
    exposedPorts: [],
    volumes: [],
  },
};

const LEASE: ImageLease = {
  version: 1,
  container: "0123456789ab",
  name: "web",
  keptBy: "/run/x",
  image: DIGEST,
  tree: HEX,
};

Deno.test("a record and a lease are read as they were written", () => {
  assertEquals(parseImageRecord(JSON.stringify(RECORD)), RECORD);
  assertEquals(parseImageLease(JSON.stringify(LEASE)), LEASE);
});

Deno.test("a record or lease that is cut, of another version or points out of the store is invalid", () => {
  for (const text of ["", "null", "[]", "{}", JSON.stringify(RECORD).slice(0, -2)]) {
    assertEquals(parseImageRecord(text), undefined, text);
    assertEquals(parseImageLease(text), undefined, text);
  }
  const wrong: Record<string, unknown>[] = [
    { version: 2 },
    { tree: "../../etc" },
    { blobs: ["sha256:../x"] },
    { reference: "" },
    { digest: "x" },
    { config: undefined },
  ];
  for (const part of wrong) {
    assertEquals(parseImageRecord(JSON.stringify({ ...RECORD, ...part })), undefined);
  }
  assertEquals(parseImageLease(JSON.stringify({ ...LEASE, tree: ".." })), undefined);
  assertEquals(parseImageLease(JSON.stringify({ ...LEASE, keptBy: "" })), undefined);
});

Deno.test("a tree is named by the chain of its layers", async () => {
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  assertEquals(await treeName([a]), "a".repeat(64));
  assertEquals(await treeName([a, b]), await sha256(`${a} ${b}`));
  const three = `sha256:${await treeName([a, b])} ${a}`;
  assertEquals(await treeName([a, b, a]), await sha256(three));
  // SHA-256 of nothing (FIPS 180-4 test vector): an image may have no layer at all.
  assertEquals(
    await treeName([]),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

Deno.test("the name of an image by digest has no tag", () => {
  assertEquals(nameWithDigest("docker.io/library/a:1", DIGEST), `docker.io/library/a@${DIGEST}`);
  assertEquals(nameWithDigest("localhost:5000/a:1", DIGEST), `localhost:5000/a@${DIGEST}`);
  assertEquals(nameWithDigest("localhost:5000/a@sha256:1", DIGEST), `localhost:5000/a@${DIGEST}`);
});
