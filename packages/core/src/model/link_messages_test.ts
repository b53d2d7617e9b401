import { assertEquals } from "@std/assert";
import { formatCidr, formatIpv4, parseInterfaceAddress, parseIpv4 } from "./ipv4.ts";
import { parseInterfaceAddress6, parseIpv6 } from "./ipv6.ts";
import { readAddress, readLink, readRoute } from "./link_answers.ts";
import * as request from "./link_requests.ts";
import { decodeMessages, encodeMessage, type NetlinkMessage } from "./netlink.ts";
import { ruleGenerationIn, ruleGenerationRequest } from "./rule_generation.ts";

/** A message's bytes after struct nlmsghdr, in hexadecimal; its type and flags before them. */
function written(message: NetlinkMessage): string {
  const [{ type, flags, payload }] = decodeMessages(encodeMessage(message, 1)) as [
    ReturnType<typeof decodeMessages>[0],
  ];
  const hex = [...payload].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${type} ${flags.toString(16)} ${hex}`;
}

const skipCounters = "08001d0008000000";
const index7 = "00000000" + "07000000";
const up = "01000000" + "01000000";
const address = parseInterfaceAddress("10.96.0.2/24")!;
const address6 = parseInterfaceAddress6("fd00:96::2/64")!;

/** What iproute2 6.1 sends for the same, in its order of attributes or another. */
const REQUESTS: [string, NetlinkMessage, string][] = [
  [
    "a link by name",
    request.getLink("br0"),
    `18 5 ${"00".repeat(16)}0800030062723000${skipCounters}`,
  ],
  ["a link by index", request.getLink(7), `18 5 ${index7}${"00".repeat(8)}${skipCounters}`],
  ["all links", request.getLinks(), `18 301 ${"00".repeat(16)}${skipCounters}`],
  ["all addresses", request.getAddresses(), `22 301 02${"00".repeat(7)}`],
  ["all routes", request.getRoutes(), `26 301 02${"00".repeat(11)}`],
  ["a link set up", request.setLinkUp(7), `16 5 ${index7}${up}`],
  [
    "a link set up as a port",
    request.setLinkUp(7, { master: 3 }),
    `16 5 ${index7}${up}08000a0003000000`,
  ],
  [
    "a link set up with a hardware address",
    request.setLinkUp(7, { mac: "0a:58:0a:60:00:02" }),
    `16 5 ${index7}${up}0a0001000a580a6000020000`,
  ],
  [
    "no generated address",
    request.withoutLinkLocalAddress(7),
    `16 5 ${index7}${"00".repeat(8)}10001a000c000a000500080001000000`,
  ],
  ["a link deleted", request.deleteLink("br0"), `17 5 ${"00".repeat(16)}0800030062723000`],
  [
    "a link put into a group",
    request.setLinkGroup("br0", 7),
    `16 5 ${"00".repeat(16)}080003006272300008001b0007000000`,
  ],
  ["a group deleted", request.deleteLinkGroup(7), `17 5 ${"00".repeat(16)}08001b0007000000`],
  [
    "an address",
    request.addAddress(7, address),
    "20 605 0218000007000000" + "080002000a600002" + "080001000a600002" + "080004000a6000ff",
  ],
  [
    "an IPv6 address",
    request.addAddress6(7, address6),
    "20 605 0a40020007000000" +
    ["0200", "0100"].map((type) => `1400${type}fd000096000000000000000000000002`).join(""),
  ],
  [
    "a default route",
    request.addDefaultRoute(7, parseIpv4("10.96.0.1")!),
    "24 605 02000000fe03000100000000" + "080005000a600001" + "0800040007000000",
  ],
  [
    "a default route of IPv6",
    request.addDefaultRoute(7, parseIpv6("fd00:96::1")!),
    "24 605 0a000000fe03000100000000" + "14000500fd000096000000000000000000000001" +
    "0800040007000000",
  ],
  ["the generation of rules", ruleGenerationRequest(), "2576 5 00000000"],
];

Deno.test("requests have the bytes that the kernel expects", () => {
  for (const [what, message, expected] of REQUESTS) assertEquals(written(message), expected, what);
});

Deno.test("newVethPair() nests the other end with its name, MTU and namespace", () => {
  const message = request.newVethPair({
    name: "hpk0",
    master: 3,
    mtu: 1450,
    peer: { name: "eth0", namespace: 9 },
  });
  const mtu = "08000400aa050000";
  const peer = "00".repeat(16) + "09000300" + "6574683000000000" + mtu + "08001c0009000000";
  const data = `${length(4 + peer.length / 2)}0100${peer}`;
  const info = "09000100" + "7665746800000000" + `${length(4 + data.length / 2)}0200${data}`;
  assertEquals(
    written(message),
    `16 605 ${"00".repeat(16)}` + "09000300" + "68706b3000000000" + mtu + "08000a0003000000" +
      `${length(4 + info.length / 2)}1200${info}`,
  );
});

/** A length in bytes as it is written: two bytes, the lower one first. */
function length(bytes: number): string {
  return [bytes & 0xff, bytes >> 8].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An answer with a payload in hexadecimal. */
function answer(text: string) {
  const pairs = text.replace(/\s/g, "").match(/../g) ?? [];
  const payload = Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
  return { type: 0, flags: 0, sequence: 1, payload };
}

Deno.test("readLink() reads a link, and gives hardware no kind", () => {
  const header = "00000100 03000000 43100100 00000000";
  const name = "0b000300 6272696467 6500";
  const bridge = answer(`${header} 0b000300 62726467 657800 00 08000400 aa050000
    0a000100 0a580a600001 0000 10001200 0b000100 62726964676500 00`);
  assertEquals(readLink(bridge), {
    index: 3,
    link: { name: "brdgex", mtu: 1450, kind: "bridge", up: true, mac: "0a:58:0a:60:00:01" },
  });
  const hardware = answer(`00000100 02000000 02100000 00000000 ${name} 0000`);
  const { link } = readLink(hardware);
  assertEquals([link.kind, link.up, link.mac, link.mtu], [undefined, false, "", 0]);
});

Deno.test("readAddress() takes the local end, and skips IPv6", () => {
  const cases: [string, string, string | undefined][] = [
    ["both", "02180000 03000000 08000100 0a600009 08000200 0a600001", "10.96.0.1 10.96.0.0/24"],
    ["one", "02200000 03000000 08000100 0a600001", "10.96.0.1 10.96.0.1/32"],
    ["IPv6", `0a400000 03000000 14000100 ${"00".repeat(16)}`, undefined],
    ["none", "02200000 03000000", undefined],
  ];
  for (const [what, payload, expected] of cases) {
    const read = readAddress(answer(payload));
    const text = read &&
      `${formatIpv4(read.address.address)} ${formatCidr(read.address.cidr)}`;
    assertEquals([text, read?.index], [expected, expected === undefined ? undefined : 3], what);
  }
});

Deno.test("readRoute() reads routes of the table main, and no others", () => {
  const cases: [string, string, string | undefined][] = [
    ["default", "02000000 fe030001 00000000 08000400 02000000", "0.0.0.0/0 2 0"],
    [
      "a network with a metric",
      "02180000 fe020001 00000000 08000100 0a600000 08000600 64000000 08000400 03000000",
      "10.96.0.0/24 3 100",
    ],
    ["unreachable", "02080000 fe030007 00000000 08000100 0a000000", "10.0.0.0/8 undefined 0"],
    ["the table in words", "02000000 fc030001 00000000 08000f00 fe000000", "0.0.0.0/0 undefined 0"],
    ["the table local", "02200000 ff020002 00000000 08000100 0a600001", undefined],
    ["another table", "02000000 fe030001 00000000 08000f00 e8030000", undefined],
    ["of the cache", "02200000 fe030001 00020000 08000100 0a600001", undefined],
  ];
  for (const [what, payload, expected] of cases) {
    const read = readRoute(answer(payload));
    const text = read && `${formatCidr(read.destination)} ${read.index} ${read.metric}`;
    assertEquals(text, expected, what);
  }
});

Deno.test("ruleGenerationIn() reads a number in network order, if there is one", () => {
  assertEquals(ruleGenerationIn(answer("00000000 08000100 00000102")), 258);
  assertEquals(ruleGenerationIn(answer("00000000")), undefined);
  assertEquals(ruleGenerationIn(answer("00000000 05000100 01000000")), undefined);
});
