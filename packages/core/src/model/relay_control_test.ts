import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  parseRelayAnswer,
  parseRelayRequest,
  RelayRequestError,
  type RelaySession,
} from "./relay_control.ts";

const SESSION: RelaySession = {
  id: "0123456789ab",
  datapath: "tap",
  hostTap: "hpk0123456789ab",
  container: { namespace: "/run/netns/hpk-0123456789ab", tap: "eth0" },
  mtu: 1450,
  mac: "0a:58:0a:60:00:02",
  address: "10.96.0.2",
  filter: true,
  uid: 0,
};

Deno.test("every request survives a round trip", () => {
  for (
    const request of [
      { version: 1, op: "status" },
      { version: 1, op: "metrics" },
      { version: 1, op: "remove", id: "web" },
      { version: 1, op: "add", session: SESSION },
      { version: 1, op: "add", session: { ...SESSION, datapath: "relay", container: null } },
      { version: 1, op: "add", session: { ...SESSION, address: null, filter: false, uid: 1000 } },
    ]
  ) {
    assertEquals(parseRelayRequest(JSON.stringify(request)) as unknown, request);
  }
});

Deno.test("the error of an invalid request names the fault", () => {
  const add = (change: Record<string, unknown>) =>
    JSON.stringify({ version: 1, op: "add", session: { ...SESSION, ...change } });
  const cases: [line: string, named: string][] = [
    ["", "not JSON"],
    ["[]", "the request must be an object"],
    ["null", "the request must be an object"],
    ['{"version":2,"op":"status"}', "version 1"],
    ['{"version":1,"op":"exit"}', "'op'"],
    ['{"version":1,"op":"remove"}', "'id'"],
    ['{"version":1,"op":"remove","id":"../../etc"}', "'id'"],
    ['{"version":1,"op":"add"}', "'session'"],
    [add({ id: "" }), "'id'"],
    [add({ id: ".." }), "'id'"],
    [add({ datapath: "veth" }), "'datapath'"],
    [add({ hostTap: "a/b" }), "'hostTap'"],
    [add({ hostTap: "tap%d" }), "'hostTap'"],
    [add({ hostTap: "sixteen-letters-" }), "'hostTap'"],
    [add({ container: null }), "'container'"],
    [add({ container: { namespace: "netns", tap: "eth0" } }), "'container.namespace'"],
    [add({ container: { namespace: "/run/\0", tap: "eth0" } }), "'container.namespace'"],
    [add({ container: { namespace: "/run/x", tap: "" } }), "'container.tap'"],
    [add({ mtu: 67 }), "'mtu'"],
    [add({ mtu: "1500" }), "'mtu'"],
    [add({ mtu: 1500.5 }), "'mtu'"],
    [add({ mac: "01:00:5e:00:00:01" }), "'mac'"],
    [add({ mac: "0A:58:0A:60:00:02" }), "'mac'"],
    [add({ address: "10.96.0" }), "'address'"],
    [add({ filter: 1 }), "'filter'"],
    [add({ uid: -1 }), "'uid'"],
  ];
  for (const [line, named] of cases) {
    const error = assertThrows(() => parseRelayRequest(line), RelayRequestError);
    assertStringIncludes(error.message, named, line);
  }
});

Deno.test("an invalid answer is rejected", () => {
  assertEquals(parseRelayAnswer('{"version":1,"ok":true}'), { version: 1, ok: true });
  assertThrows(() => parseRelayAnswer("1"), SyntaxError);
  assertThrows(() => parseRelayAnswer("{}"), SyntaxError);
});
