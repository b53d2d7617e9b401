import { assertEquals } from "@std/assert";
import { arpFrame, frame, IPV4, ipv4Frame, MAC } from "../testing/frames.ts";
import { isFromSource, sourceRules } from "./source_filter.ts";

const OTHER_MAC = [0x0a, 0x58, 0x0a, 0x09, 0x00, 0x03];
const OTHER = [10, 9, 0, 3];
const RULES = sourceRules("0a:58:0a:09:00:02", 0x0a090002)!;

const CASES: [name: string, frame: Uint8Array, passes: boolean][] = [
  ["IPv4 of its own", ipv4Frame(), true],
  ["IPv4 of another's address", ipv4Frame(OTHER), false],
  ["IPv4 from another's Ethernet address", ipv4Frame(IPV4, OTHER_MAC), false],
  ["IPv4 without an address", ipv4Frame([0, 0, 0, 0]), false],
  ["IPv4 cut off before the address", ipv4Frame().slice(0, 33), false],
  ["version 6 said to be IPv4", frame(0x0800, [0x65, ...ipv4Frame().slice(15)]), false],
  ["ARP of its own", arpFrame(), true],
  ["an ARP probe", arpFrame(MAC, [0, 0, 0, 0]), true],
  ["ARP for another's address", arpFrame(MAC, OTHER), false],
  ["ARP with another's Ethernet address inside", arpFrame(OTHER_MAC), false],
  ["ARP from another's Ethernet address", arpFrame(MAC, IPV4, OTHER_MAC), false],
  ["ARP cut off", arpFrame().slice(0, 41), false],
  ["IPv6 of its own Ethernet address", frame(0x86dd, [0x60]), true],
  ["IPv6 of another's", frame(0x86dd, [0x60], OTHER_MAC), false],
  ["a VLAN tag that hides what follows", frame(0x8100, [0, 1, 8, 0]), false],
  ["a double tag", frame(0x88a8, [0, 1, 8, 0]), false],
  ["another protocol", frame(0x88cc, [0]), false],
  ["half a header", ipv4Frame().slice(0, 13), false],
];

for (const [name, bytes, passes] of CASES) {
  Deno.test(`source filter: ${name} ${passes ? "passes" : "is dropped"}`, () => {
    const padded = new Uint8Array(bytes.length + 64);
    padded.set(bytes, 32);
    assertEquals(isFromSource(RULES, padded, 32, bytes.length), passes);
  });
}

Deno.test("without an IPv4 address only Ethernet addresses are checked", () => {
  const rules = sourceRules("0a:58:0a:09:00:02", undefined)!;
  assertEquals(isFromSource(rules, ipv4Frame(OTHER), 0, 42), true);
  assertEquals(isFromSource(rules, ipv4Frame(OTHER, OTHER_MAC), 0, 42), false);
});

Deno.test("a group address cannot be a container's", () => {
  assertEquals(sourceRules("01:00:5e:00:00:01", undefined), undefined);
  assertEquals(sourceRules("0a:58:0a:09:00", undefined), undefined);
});
