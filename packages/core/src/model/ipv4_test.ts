import { assert, assertEquals } from "@std/assert";
import { RandomText } from "../testing/random.ts";
import {
  broadcastOf,
  contains,
  covers,
  formatCidr,
  formatIpv4,
  macOf,
  networkOf,
  overlaps,
  parseCidr,
  parseInterfaceAddress,
  parseIpv4,
  sizeOf,
} from "./ipv4.ts";

const cidr = (text: string) => parseCidr(text)!;

Deno.test("parseIpv4() reads a dotted quad and nothing else", () => {
  const cases: [string, number | undefined][] = [
    ["0.0.0.0", 0],
    ["10.1.2.3", 0x0a010203],
    ["128.0.0.1", 0x80000001],
    ["255.255.255.255", 0xffffffff],
    ["256.0.0.1", undefined],
    ["10.1.2", undefined],
    ["10.1.2.3.4", undefined],
    ["010.1.2.3", undefined],
    ["10.1.2.03", undefined],
    ["10.1.2.", undefined],
    ["10..2.3", undefined],
    [" 10.1.2.3", undefined],
    ["10.1.2.3\n", undefined],
    ["-1.0.0.0", undefined],
    ["+1.0.0.0", undefined],
    ["1e1.0.0.0", undefined],
    ["0x0a.1.2.3", undefined],
    ["１.2.3.4", undefined],
    ["::1", undefined],
    ["::ffff:10.1.2.3", undefined],
    ["10.1.2.3/24", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) assertEquals(parseIpv4(text), expected, text);
});

Deno.test("parseInterfaceAddress() keeps the address and works out its network", () => {
  const cases: [string, string, string][] = [
    ["10.96.0.1/24", "10.96.0.1", "10.96.0.0/24"],
    ["10.96.255.1/12", "10.96.255.1", "10.96.0.0/12"],
    ["192.0.2.7/32", "192.0.2.7", "192.0.2.7/32"],
    ["192.0.2.7/31", "192.0.2.7", "192.0.2.6/31"],
    ["255.255.255.255/0", "255.255.255.255", "0.0.0.0/0"],
    ["200.1.1.1/1", "200.1.1.1", "128.0.0.0/1"],
  ];
  for (const [text, address, network] of cases) {
    const parsed = parseInterfaceAddress(text)!;
    assertEquals([formatIpv4(parsed.address), formatCidr(parsed.cidr)], [address, network], text);
  }
});

Deno.test("parseInterfaceAddress() and parseCidr() reject invalid text", () => {
  const texts = [
    ..."10.96.0.0|10.96.0.0/|10.96.0.0/33|10.96.0.0/-1|10.96.0.0/024|10.96.0/24".split("|"),
    ..."10.96.0.0/24/24|10.96.0.0/2 4| 10.96.0.0/24|10.96.0.0/24\n|fd00::/64|/24".split("|"),
    ...["10.96.0.0/255.255.255.0", "10.96.0.0/1e1", "10.96.0.256/24", ""],
  ];
  for (const text of texts) {
    assertEquals([parseInterfaceAddress(text), parseCidr(text)], [undefined, undefined], text);
  }
});

Deno.test("the size, first and last address of a network follow from its prefix", () => {
  const cases: [string, number, string, string][] = [
    ["10.96.0.130/24", 256, "10.96.0.0", "10.96.0.255"],
    ["10.96.0.130/25", 128, "10.96.0.128", "10.96.0.255"],
    ["10.96.0.130/30", 4, "10.96.0.128", "10.96.0.131"],
    ["10.96.0.130/32", 1, "10.96.0.130", "10.96.0.130"],
    ["10.96.0.130/8", 16_777_216, "10.0.0.0", "10.255.255.255"],
    ["10.96.0.130/0", 4_294_967_296, "0.0.0.0", "255.255.255.255"],
  ];
  for (const [text, size, first, last] of cases) {
    const { address, cidr } = parseInterfaceAddress(text)!;
    assertEquals(sizeOf(cidr.prefix), size, text);
    assertEquals(formatIpv4(networkOf(address, cidr.prefix)), first, text);
    assertEquals(formatIpv4(broadcastOf(cidr)), last, text);
  }
});

Deno.test("contains() is true for exactly the addresses of a network", () => {
  const cases: [string, string, boolean][] = [
    ["10.96.0.0/24", "10.96.0.0", true],
    ["10.96.0.0/24", "10.96.0.255", true],
    ["10.96.0.0/24", "10.96.1.0", false],
    ["10.96.0.0/24", "10.95.255.255", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["255.255.255.255/32", "255.255.255.255", true],
  ];
  for (const [network, address, expected] of cases) {
    assertEquals(contains(cidr(network), parseIpv4(address)!), expected, `${network} ${address}`);
  }
});

Deno.test("covers() and overlaps() compare networks", () => {
  const cases: [string, string, boolean, boolean][] = [
    // a, b, a covers b, they overlap
    ["10.96.0.0/16", "10.96.3.0/24", true, true],
    ["10.96.3.0/24", "10.96.0.0/16", false, true],
    ["10.96.3.0/24", "10.96.3.0/24", true, true],
    ["10.96.3.0/24", "10.96.4.0/24", false, false],
    ["10.96.0.0/24", "10.96.0.0/25", true, true],
    ["0.0.0.0/0", "192.0.2.1/32", true, true],
  ];
  for (const [a, b, covered, overlapping] of cases) {
    assertEquals(covers(cidr(a), cidr(b)), covered, `${a} covers ${b}`);
    assertEquals(overlaps(cidr(a), cidr(b)), overlapping, `${a} overlaps ${b}`);
    assertEquals(overlaps(cidr(b), cidr(a)), overlapping, `${b} overlaps ${a}`);
  }
});

Deno.test("macOf() derives a unicast, locally administered address from every IPv4 address", () => {
  const cases: [string, string][] = [
    ["10.96.0.1", "0a:58:0a:60:00:01"],
    ["0.0.0.0", "0a:58:00:00:00:00"],
    ["255.255.255.255", "0a:58:ff:ff:ff:ff"],
  ];
  for (const [address, mac] of cases) assertEquals(macOf(parseIpv4(address)!), mac);
});

Deno.test("every address and prefix survives formatting and parsing", () => {
  const random = new RandomText(1);
  for (let round = 0; round < 20_000; round++) {
    const address = random.below(2 ** 32);
    const prefix = random.below(33);
    const parsed = parseInterfaceAddress(`${formatIpv4(address)}/${prefix}`)!;
    assertEquals([parsed.address, parsed.cidr.prefix], [address, prefix]);
    assert(contains(parsed.cidr, address), `${formatIpv4(address)} in ${formatCidr(parsed.cidr)}`);
    assert(parsed.cidr.network <= address && address <= broadcastOf(parsed.cidr));
  }
});

Deno.test("no text makes the parsers throw, and valid text survives a round trip", () => {
  const random = new RandomText(2);
  const parts = ["0", "1", "10", "255", "256", ".", ".", ".", "/", "24", "-", " ", "\n", "é", ":"];
  for (let round = 0; round < 50_000; round++) {
    const text = random.text(parts, 9);
    const address = parseIpv4(text);
    if (address !== undefined) assertEquals(formatIpv4(address), text);
    const parsed = parseInterfaceAddress(text);
    if (parsed !== undefined) {
      assertEquals(`${formatIpv4(parsed.address)}/${parsed.cidr.prefix}`, text);
    }
  }
});
