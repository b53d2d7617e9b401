import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { type ImageDescription, parseImageConfig } from "./image_config.ts";

const DIFF_ID = `sha256:${"0123456789abcdef".repeat(4)}`;
const parse = (value: unknown): ImageDescription => parseImageConfig(JSON.stringify(value) ?? "");

const BARE = {
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers", diff_ids: [DIFF_ID] },
};

Deno.test("an image's configuration is read completely", () => {
  const description = parse({
    ...BARE,
    architecture: "arm",
    variant: "v7",
    created: "2026-01-02T03:04:05Z",
    config: {
      User: "1000:100",
      Env: ["PATH=/bin", "EMPTY="],
      Entrypoint: ["/entry"],
      Cmd: ["a", "b"],
      WorkingDir: "/srv",
      Labels: { one: "1", two: "" },
      StopSignal: "SIGQUIT",
      ExposedPorts: { "53/udp": {}, "80": {} },
      Volumes: { "/var/z": {}, "/data": {} },
    },
  });
  assertEquals(description, {
    platform: "linux/arm/v7",
    created: "2026-01-02T03:04:05Z",
    diffIds: [DIFF_ID],
    config: {
      user: "1000:100",
      env: ["PATH=/bin", "EMPTY="],
      entrypoint: ["/entry"],
      cmd: ["a", "b"],
      workingDir: "/srv",
      labels: { one: "1", two: "" },
      stopSignal: "SIGQUIT",
      exposedPorts: ["53/udp", "80/tcp"],
      volumes: ["/data", "/var/z"],
    },
  });
});

Deno.test("what an image does not set, or sets to null, is empty", () => {
  const empty = {
    user: "",
    env: [],
    entrypoint: [],
    cmd: [],
    workingDir: "",
    labels: {},
    stopSignal: "",
    exposedPorts: [],
    volumes: [],
  };
  assertEquals(parse(BARE).config, empty);
  const nulls = {
    User: null,
    Env: null,
    Entrypoint: null,
    Cmd: null,
    WorkingDir: null,
    Labels: null,
    StopSignal: null,
    ExposedPorts: null,
    Volumes: null,
  };
  assertEquals(parse({ ...BARE, config: nulls }).config, empty);
});

Deno.test("what is shown of an image is printable", () => {
  assertEquals(parse({ ...BARE, created: "yesterday\x1b[2J" }).created, "");
  assertEquals(parse({ ...BARE, architecture: "\x1b[2J" }).platform, "linux/\ufffd[2J");
});

Deno.test("an invalid configuration is refused, naming the field", () => {
  const cases: [unknown, string][] = [
    [undefined, "not a JSON object"],
    [[], "not a JSON object"],
    [{}, "'rootfs'"],
    [{ ...BARE, rootfs: { diff_ids: ["../../etc"] } }, "'rootfs.diff_ids'"],
    [{ ...BARE, rootfs: { diff_ids: "x" } }, "'rootfs.diff_ids'"],
    [{ ...BARE, config: { Env: [1] } }, "'config.Env'"],
    [{ ...BARE, config: { Cmd: "sh" } }, "'config.Cmd'"],
    [{ ...BARE, config: { User: 0 } }, "'config.User'"],
    [{ ...BARE, config: { Labels: { a: 1 } } }, "'config.Labels'"],
    [{ ...BARE, config: { Volumes: ["/a"] } }, "'config.Volumes'"],
    [{ ...BARE, config: [] }, "'config'"],
    [{ ...BARE, os: 1 }, "'os'"],
  ];
  for (const [value, part] of cases) {
    assertThrows(() => parse(value), HpkError, part, JSON.stringify(value));
  }
});
