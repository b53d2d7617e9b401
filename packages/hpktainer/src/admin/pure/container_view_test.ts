import { assertEquals } from "@std/assert";
import { type ContainerRecord, resourcesOf } from "@hpk/core";
import { formatContainer, formatContainers } from "./container_text.ts";
import { viewOf } from "./container_view.ts";

const ID = "0123456789ab";

const RECORD: ContainerRecord = {
  version: 1,
  id: ID,
  name: "web",
  kind: "instance",
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
  ports: [
    { protocol: "tcp", hostAddress: null, hostPort: 8080, containerPort: 80, count: 1 },
  ],
  policy: { isolated: false, masquerade: true, imds: false },
  names: "server",
  resources: resourcesOf(ID, "/f"),
  errors: [],
};

Deno.test("viewOf() has the documented shape", () => {
  assertEquals(viewOf(RECORD, true), {
    id: ID,
    name: "web",
    kind: "instance",
    state: "running",
    address: "10.96.0.2",
    gateway: "10.96.0.1",
    subnet: "10.96.0.0/24",
    address6: null,
    gateway6: null,
    subnet6: null,
    mode: "static",
    datapath: "veth",
    bridge: "hpk-bridge",
    mtu: 1500,
    ports: RECORD.ports,
    isolated: false,
    masquerade: true,
    imds: false,
    runtime: "apptainer",
    image: "x.sif",
    pid: 42,
    created: "2026-01-02T03:04:05.678Z",
    namespace: `hpk-${ID}`,
    link: `hpk${ID}`,
    errors: [],
    boot: null,
  });
});

Deno.test("viewOf() has null for what a container in the host's network does not have", () => {
  const view = viewOf({ ...RECORD, mode: "host", address: null, resources: [] }, true);
  const { gateway, subnet, datapath, bridge, mtu } = view;
  assertEquals([gateway, subnet, datapath, bridge, mtu], [null, null, null, null, null]);
});

Deno.test("viewOf() calls a container with a dead owner dead, whatever its phase", () => {
  for (const phase of ["starting", "running", "stopping"] as const) {
    assertEquals(viewOf({ ...RECORD, phase }, true).state, phase);
    assertEquals(viewOf({ ...RECORD, phase }, false).state, "dead");
  }
});

Deno.test("viewOf() has null for what was not created", () => {
  const view = viewOf({ ...RECORD, address: null, resources: [] }, true);
  assertEquals([view.address, view.namespace, view.link], [null, null, null]);
});

Deno.test("formatContainers() lists, with whole seconds and a dash for no address", () => {
  const none = {
    ...RECORD,
    ports: [],
    name: "b",
    address: null,
    kind: "run" as const,
    phase: "starting" as const,
  };
  assertEquals(
    formatContainers([viewOf(RECORD, true), viewOf(none, true)]),
    "NAME  ADDRESS    STATE     KIND      PID  CREATED               PORTS        IMAGE\n" +
      "web   10.96.0.2  running   instance  42   2026-01-02T03:04:05Z  8080:80/tcp  x.sif\n" +
      "b     -          starting  run       42   2026-01-02T03:04:05Z  -            x.sif\n",
  );
  assertEquals(formatContainers([]), "NAME  ADDRESS  STATE  KIND  PID  CREATED  PORTS  IMAGE\n");
});

Deno.test("formatContainer() shows a line for each property", () => {
  const lines = formatContainer(viewOf({ ...RECORD, address: null, errors: ["a", "b"] }, true))
    .split("\n").slice(0, -1);
  assertEquals(lines.length, 26);
  assertEquals([lines[0], lines[4], lines[24]], [
    `id          ${ID}`,
    "address     -",
    "errors      a; b",
  ]);
});

Deno.test("formatContainer() shows the result of a boot", () => {
  const boot = {
    state: "degraded",
    failedUnits: ["x.service"],
    differences: [{ part: "sysctl", name: "net.a", before: "0", after: "1" } as const],
  };
  assertEquals(
    formatContainer(viewOf({ ...RECORD, boot }, true)).split("\n")[25],
    "boot        degraded; failed: x.service; sysctl net.a was 0 and is 1",
  );
});
