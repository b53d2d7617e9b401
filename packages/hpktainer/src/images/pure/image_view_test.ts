import { assertEquals } from "@std/assert";
import type { ImageLease, ImageRecord } from "./image_record.ts";
import { formatAge, formatImages, inspectionOf, viewOfImage } from "./image_view.ts";

const digest = (character: string) => `sha256:${character.repeat(64)}`;

const RECORD: ImageRecord = {
  version: 1,
  reference: "docker.io/library/alpine:3.20",
  platform: "linux/arm64",
  digest: digest("d"),
  id: digest("1"),
  sourceDigest: digest("5"),
  source: null,
  tree: "e".repeat(64),
  size: 7_800_000,
  blobs: [],
  created: "2026-01-01T00:00:00Z",
  pulled: "2026-01-02T00:00:00.000Z",
  config: {
    user: "app",
    env: ["A=1"],
    entrypoint: ["/e"],
    cmd: ["c"],
    workingDir: "/w",
    labels: { l: "1" },
    stopSignal: "SIGINT",
    exposedPorts: ["80/tcp"],
    volumes: ["/data"],
  },
};

const LEASE: ImageLease = {
  version: 1,
  container: "0123456789ab",
  name: "web",
  keptBy: "/x",
  image: digest("1"),
  tree: "e".repeat(64),
};

const NOW = Date.parse("2026-01-22T00:00:00Z");
const PLAIN = { digests: false, whole: false, quiet: false };

Deno.test("an image's view names the containers that use it", () => {
  const other = { ...LEASE, name: "other", image: digest("2") };
  assertEquals(viewOfImage(RECORD, [other, LEASE, { ...LEASE, name: "api" }]).usedBy, [
    "api",
    "web",
  ]);
  assertEquals(viewOfImage({ ...RECORD, created: "" }, []).created, null);
});

Deno.test("images are listed in Docker's columns", () => {
  const images = [
    RECORD,
    { ...RECORD, reference: "localhost:5000/a/b:1", created: "", size: 0 },
    { ...RECORD, reference: `quay.io/x@${digest("9")}` },
    { ...RECORD, reference: "oci:/srv/images:web" },
    { ...RECORD, reference: "docker-archive:/srv/x.tar" },
  ].map((record) => viewOfImage(record, []));
  assertEquals(
    formatImages(images, PLAIN, NOW),
    `REPOSITORY                 TAG     IMAGE ID      PLATFORM     CREATED      SIZE
alpine                     3.20    111111111111  linux/arm64  3 weeks ago  7.8 MB
localhost:5000/a/b         1       111111111111  linux/arm64               0 B
quay.io/x                  <none>  111111111111  linux/arm64  3 weeks ago  7.8 MB
oci:/srv/images            web     111111111111  linux/arm64  3 weeks ago  7.8 MB
docker-archive:/srv/x.tar  <none>  111111111111  linux/arm64  3 weeks ago  7.8 MB
`,
  );
  assertEquals(formatImages(images, { ...PLAIN, quiet: true }, NOW), "111111111111\n");
  assertEquals(
    formatImages([images[0]!], { digests: true, whole: true, quiet: false }, NOW),
    `REPOSITORY  TAG   DIGEST                                                                   IMAGE ID                                                                 PLATFORM     CREATED      SIZE
alpine      3.20  ${digest("d")}  ${digest("1")}  linux/arm64  3 weeks ago  7.8 MB
`,
  );
});

Deno.test("an inspection has Docker's shape", () => {
  const file = { ...RECORD, reference: "oci:/x:1", source: { size: 1, changed: 1 } };
  const pinned = { ...RECORD, reference: `docker.io/library/alpine@${digest("5")}` };
  const other = { ...RECORD, reference: "docker.io/other:1", id: digest("3") };
  const seen = inspectionOf(RECORD, [RECORD, file, pinned, other], "/tree");
  assertEquals(seen, {
    Id: digest("1"),
    RepoTags: ["alpine:3.20", "oci:/x:1"],
    RepoDigests: [`alpine@${digest("5")}`],
    Created: "2026-01-01T00:00:00Z",
    Architecture: "arm64",
    Os: "linux",
    Size: 7_800_000,
    Config: {
      User: "app",
      ExposedPorts: { "80/tcp": {} },
      Env: ["A=1"],
      Entrypoint: ["/e"],
      Cmd: ["c"],
      Volumes: { "/data": {} },
      WorkingDir: "/w",
      Labels: { l: "1" },
      StopSignal: "SIGINT",
    },
    Rootfs: "/tree",
    Pulled: "2026-01-02T00:00:00.000Z",
  });
  const arm = inspectionOf({ ...RECORD, platform: "linux/arm/v7" }, [], "/tree");
  assertEquals([arm["Architecture"], arm["Variant"]], ["arm", "v7"]);
});

Deno.test("an age is given in its largest unit", () => {
  const cases: [number, string][] = [
    [-5, "0 seconds ago"],
    [1500, "1 second ago"],
    [59_999, "59 seconds ago"],
    [3_600_000, "1 hour ago"],
    [6 * 86_400_000, "6 days ago"],
    [40 * 86_400_000, "1 month ago"],
    [800 * 86_400_000, "2 years ago"],
  ];
  for (const [ms, text] of cases) assertEquals(formatAge(ms), text);
});
