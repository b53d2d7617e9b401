import { assertEquals, assertThrows } from "@std/assert";
import {
  type ContainerRecord,
  type HostRecord,
  newRecord,
  NO_PROCESS,
  parseContainerRecord,
  parseHostRecord,
  resourcesOf,
  unreadableRecord,
} from "./ledger_record.ts";

const ID = "0123456789ab";
const DIRECTORY = `/run/hpktainer/files/${ID}`;

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
  resources: resourcesOf(ID, DIRECTORY),
  errors: [],
};

const HOST: HostRecord = {
  version: 1,
  generation: "g",
  bridge: "hpk-bridge",
  madeBridge: true,
  addedAddresses: ["10.96.0.1/24"],
  broughtBridgeUp: false,
  ipv6: null,
  mendedChecksum: null,
  networks: [],
  ownRules: false,
  priorRouteLocalnet: null,
  priorForwarding: "0",
  madeNamespaceDirectory: false,
  automatic: null,
  linger: 10,
  emptySince: 12.5,
};

Deno.test("resourcesOf() lists everything in the order in which it is made", () => {
  assertEquals(resourcesOf(ID, DIRECTORY), [
    { kind: "directory", path: DIRECTORY },
    { kind: "lease", network: "hpktainer", id: ID },
    { kind: "namespace", name: `hpk-${ID}` },
    { kind: "link", name: `hpk${ID}` },
  ]);
  for (const datapath of ["tap", "relay"] as const) {
    assertEquals(resourcesOf(ID, DIRECTORY, datapath)[3], { kind: "relay", id: ID });
  }
});

Deno.test("records survive writing and reading", () => {
  assertEquals(parseContainerRecord(JSON.stringify(RECORD)), RECORD);
  assertEquals(parseHostRecord(JSON.stringify(HOST)), HOST);
});

Deno.test("a record that is invalid, incomplete, or of another version is rejected", () => {
  const without = (key: string) => JSON.stringify({ ...RECORD, [key]: undefined });
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["{", undefined],
    ["null", "the record is not an object"],
    ["7", "the record is not an object"],
    ["[]", "the record has version undefined, and only version 1 is supported"],
    ["{}", "the record has version undefined, and only version 1 is supported"],
    [
      JSON.stringify({ ...RECORD, version: 2 }),
      "the record has version 2, and only version 1 is supported",
    ],
    ...["id", "name", "owner", "phase", "created", "resources"].map((key) =>
      [without(key), `the record lacks ${key}`] as [string, string]
    ),
  ];
  for (const [json, message] of cases) {
    const error = assertThrows(() => parseContainerRecord(json), SyntaxError);
    if (message !== undefined) assertEquals(error.message, message);
  }
  for (const key of ["bridge", "priorForwarding"]) {
    const json = JSON.stringify({ ...HOST, [key]: undefined });
    const error = assertThrows(() => parseHostRecord(json), SyntaxError);
    assertEquals(error.message, `the record lacks ${key}`);
  }
});

Deno.test("an unreadable record can still be taken down, by any process", () => {
  const record = unreadableRecord(ID, DIRECTORY, "cannot read");
  assertEquals([record.id, record.phase, record.owner], [ID, "stopping", NO_PROCESS]);
  assertEquals([record.resources, record.errors], [
    resourcesOf(ID, DIRECTORY, "relay"),
    ["cannot read"],
  ]);
  assertEquals(parseContainerRecord(JSON.stringify(record)), record);
});

Deno.test("newRecord() is of a container without a network, but for what is given", () => {
  const base = {
    id: ID,
    name: "web",
    kind: "run",
    owner: { pid: 1, startTime: 2, bootId: "b" },
    created: "2026-01-01T00:00:00.000Z",
    runtime: "apptainer",
    image: "image.sif",
    mode: "none",
    resources: [],
  } as const;
  const record = newRecord({ ...base, mtu: 1400 });
  assertEquals([record.phase, record.address, record.mtu], ["starting", null, 1400]);
  assertEquals(parseContainerRecord(JSON.stringify(record)), record);
});
