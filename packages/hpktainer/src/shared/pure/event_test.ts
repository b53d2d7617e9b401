import { assert, assertEquals } from "@std/assert";
import { type ContainerRecord, resourcesOf } from "@hpk/core";
import {
  describeEvent,
  eventContainer,
  formatEventLine,
  type HpkEvent,
  parseEventLine,
} from "./event.ts";

const ID = "0123456789ab";

const RECORD: ContainerRecord = {
  version: 1,
  id: ID,
  name: "web",
  kind: "run",
  phase: "running",
  owner: { pid: 42, startTime: 4242, bootId: "b" },
  created: "2026-01-02T03:04:05.678Z",
  runtime: "apptainer",
  image: "x.sif",
  mode: "static",
  datapath: "veth",
  subnet: "10.96.0.0/24",
  gateway: "10.96.0.1",
  bridge: "hpk-bridge",
  mtu: 1500,
  address: "10.96.0.2",
  subnet6: null,
  gateway6: null,
  address6: null,
  ports: [],
  policy: { isolated: false, masquerade: true, imds: false },
  names: "server",
  resources: resourcesOf(ID, "/f"),
  errors: [],
};

const EVENT: HpkEvent = {
  version: 1,
  time: "2026-01-02T03:04:06.000Z",
  event: "started",
  container: eventContainer(RECORD),
  exitStatus: null,
  part: null,
  detail: null,
};

Deno.test("an event has the documented shape", () => {
  assertEquals(JSON.parse(formatEventLine(EVENT)), {
    version: 1,
    time: "2026-01-02T03:04:06.000Z",
    event: "started",
    container: {
      id: ID,
      name: "web",
      image: "x.sif",
      kind: "run",
      runtime: "apptainer",
      mode: "static",
      address: "10.96.0.2",
      address6: null,
    },
    exitStatus: null,
    part: null,
    detail: null,
  });
});

Deno.test("an event is one short line without control characters, whatever the container's name", () => {
  const images = ["a\nb", "\x1b[2J\x07", "\u009b31m\u202e", "é 你", '"\\', "x".repeat(100_000)];
  for (const image of images) {
    const container = eventContainer({ ...RECORD, image });
    const line = formatEventLine({ ...EVENT, container, detail: image });
    assert(line.endsWith("\n") && line.length < 4096);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(line.slice(0, -1)), line);
    assertEquals(parseEventLine(line)?.container, container);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(describeEvent(parseEventLine(line)!)));
  }
});

Deno.test("parseEventLine() skips what is not an event", () => {
  const line = formatEventLine(EVENT);
  assertEquals(parseEventLine(line), EVENT);
  const others = ["", "null", "1", "[]", "{}", line.slice(0, 40), line.slice(0, 40) + line];
  for (const text of [...others, '{"version":2,"time":"","event":"started"}']) {
    assertEquals(parseEventLine(text), undefined, text);
  }
});

Deno.test("describeEvent() is a readable line", () => {
  const cases: [Partial<HpkEvent>, string][] = [
    [{}, `started  web (${ID}) 10.96.0.2 x.sif`],
    [
      { container: eventContainer({ ...RECORD, mode: "host", address: null }) },
      `started  web (${ID}) host x.sif`,
    ],
    [{ event: "ended", exitStatus: 0 }, `ended    web (${ID}) status 0`],
    [{ event: "ended" }, `ended    web (${ID})`],
    [{ container: eventContainer({ ...RECORD, name: ID }) }, `started  ${ID} 10.96.0.2 x.sif`],
    [{ event: "released" }, `released web (${ID})`],
    [{ event: "repaired", container: null, part: "bridge" }, "repaired bridge"],
    [
      { event: "repaired", container: null, part: "monitor", detail: "it was gone" },
      "repaired monitor: it was gone",
    ],
  ];
  for (const [change, expected] of cases) {
    assertEquals(describeEvent({ ...EVENT, ...change }), expected);
  }
});
