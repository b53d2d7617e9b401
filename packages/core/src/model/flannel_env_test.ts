import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { RandomText } from "../testing/random.ts";
import { HpkError } from "./errors.ts";
import { parseFlannelEnv } from "./flannel_env.ts";
import { formatCidr, formatIpv4 } from "./ipv4.ts";
import { parseCidr6, parseIpv6 } from "./ipv6.ts";

const GOOD: Readonly<Record<string, string>> = {
  FLANNEL_NETWORK: "10.244.0.0/16",
  FLANNEL_SUBNET: "10.244.1.1/24",
  FLANNEL_MTU: "1450",
  FLANNEL_IPMASQ: "true",
};

/** The file as flanneld writes it, with other values; undefined leaves a line out. */
function file(changes: Readonly<Record<string, string | undefined>> = {}): string {
  return Object.entries({ ...GOOD, ...changes })
    .flatMap(([key, value]) => value === undefined ? [] : [`${key}=${value}\n`]).join("");
}

/** The parsed file, formatted as text. */
function read(text: string): unknown[] {
  const { network, subnet, gateway, mtu, ipMasq } = parseFlannelEnv(
    text,
    "/run/flannel/subnet.env",
  );
  return [formatCidr(network), formatCidr(subnet), formatIpv4(gateway), mtu, ipMasq];
}

const DUAL = {
  FLANNEL_IPV6_NETWORK: "fd00:244::/56",
  FLANNEL_IPV6_SUBNET: "fd00:244:0:5::1/64",
};

const READ = ["10.244.0.0/16", "10.244.1.0/24", "10.244.1.1", 1450, true];

Deno.test("parseFlannelEnv() reads what flanneld writes, in every form that a shell would take", () => {
  const quoted = Object.entries(GOOD).map(([key, value]) => `${key}="${value}"`).join("\n");
  const cases: [string, string][] = [
    ["as written", file()],
    ["CRLF", file().replaceAll("\n", "\r\n")],
    ["double quotes", quoted],
    ["single quotes", quoted.replaceAll('"', "'")],
    ["no line feed at the end", file().trimEnd()],
    ["blank lines and comments", `# made by flanneld\n\n${file()}\n\n`],
    ["unknown keys", `FLANNEL_COLOUR=blue\n${file()}FLANNEL_IPV6_NETWORK=fd00::/48\n`],
    ["dual stack", file(DUAL)],
    ["a key given twice: the last counts", `FLANNEL_MTU=9000\n${file()}`],
    ["a network with host bits", file({ FLANNEL_NETWORK: "10.244.3.4/16" })],
  ];
  for (const [what, text] of cases) assertEquals(read(text), READ, what);
});

Deno.test("parseFlannelEnv() reads the IPv6 side", () => {
  const side = (subnet: string) =>
    parseFlannelEnv(file({ ...DUAL, FLANNEL_IPV6_SUBNET: subnet }), "subnet.env").ipv6;
  const ipv6 = {
    network: parseCidr6("fd00:244::/56"),
    subnet: parseCidr6("fd00:244:0:5::/64"),
    gateway: parseIpv6("fd00:244:0:5::1"),
  };
  assertEquals(side("fd00:244:0:5::1/64"), ipv6 as never);
  assertEquals(side("fd00:244:0:5::/64"), ipv6 as never);
  assertEquals(parseFlannelEnv(file(), "subnet.env").ipv6, undefined);
});

Deno.test("parseFlannelEnv() reports what is wrong with the IPv6 side", () => {
  const cases: [Record<string, string>, string][] = [
    [{ FLANNEL_IPV6_SUBNET: "fd00:1::1/64" }, "FLANNEL_IPV6_NETWORK is missing"],
    [
      { ...DUAL, FLANNEL_IPV6_SUBNET: "10.1.0.1/24" },
      "is '10.1.0.1/24', which is not an IPv6 network",
    ],
    [{ ...DUAL, FLANNEL_IPV6_SUBNET: "fd00:9::1/64" }, "fd00:9::/64 lies outside"],
  ];
  for (const [values, why] of cases) {
    const { message } = assertThrows(() => parseFlannelEnv(file(values), "subnet.env"), HpkError);
    assertStringIncludes(message, why);
  }
});

Deno.test("parseFlannelEnv() uses the first address if the subnet names none", () => {
  assertEquals(read(file({ FLANNEL_SUBNET: "10.244.1.0/24" })), READ);
});

Deno.test("parseFlannelEnv() treats an absent FLANNEL_IPMASQ as false", () => {
  for (const value of [undefined, "false", '"false"']) {
    assertEquals(read(file({ FLANNEL_IPMASQ: value })), [...READ.slice(0, 4), false]);
  }
});

Deno.test("parseFlannelEnv() reports what is wrong with a file", () => {
  const noNetwork = (key: string, value: string) =>
    `${key} is '${value}', which is not an IPv4 network`;
  const noMtu = (value: string) => `FLANNEL_MTU is '${value}', which is not a valid MTU`;
  const cases: [string, string][] = [
    ["", "it is empty"],
    [" \r\n\n", "it is empty"],
    ["garbage", "it is not a list of KEY=value lines"],
    ["\x7fELF\x02\x01", "it is not a list of KEY=value lines"],
    ['{"FLANNEL_MTU": 1450}', "it is not a list of KEY=value lines"],
    ["=10.244.1.1/24", "it is not a list of KEY=value lines"],
    ["COLOUR=blue", "FLANNEL_SUBNET is missing"],
    [`[section]\n${file()}`, "FLANNEL_SUBNET is missing"],
    [file({ FLANNEL_SUBNET: undefined }), "FLANNEL_SUBNET is missing"],
    [file({ FLANNEL_NETWORK: undefined }), "FLANNEL_NETWORK is missing"],
    [file({ FLANNEL_MTU: undefined }), "FLANNEL_MTU is missing"],
    [
      file({ FLANNEL_SUBNET: undefined, FLANNEL_IPV6_SUBNET: "fd00:1::1/64" }),
      "it has only an IPv6 subnet, and IPv4 is required",
    ],
    [file({ FLANNEL_SUBNET: "fd00::1/64" }), noNetwork("FLANNEL_SUBNET", "fd00::1/64")],
    [file({ FLANNEL_SUBNET: "10.244.1.1" }), noNetwork("FLANNEL_SUBNET", "10.244.1.1")],
    [file({ FLANNEL_SUBNET: "10.244.1.1/33" }), noNetwork("FLANNEL_SUBNET", "10.244.1.1/33")],
    [file({ FLANNEL_NETWORK: "true" }), noNetwork("FLANNEL_NETWORK", "true")],
    [
      file({ FLANNEL_SUBNET: "10.245.1.1/24" }),
      "FLANNEL_SUBNET 10.245.1.0/24 lies outside FLANNEL_NETWORK 10.244.0.0/16",
    ],
    [
      file({ FLANNEL_SUBNET: "10.244.0.1/15" }),
      "FLANNEL_SUBNET 10.244.0.0/15 lies outside FLANNEL_NETWORK 10.244.0.0/16",
    ],
    [file({ FLANNEL_MTU: "big" }), noMtu("big")],
    [file({ FLANNEL_MTU: "null" }), noMtu("null")],
    [file({ FLANNEL_MTU: "-1" }), noMtu("-1")],
    [file({ FLANNEL_MTU: "1450.5" }), noMtu("1450.5")],
    [file({ FLANNEL_MTU: "67" }), noMtu("67")],
    [file({ FLANNEL_MTU: "65536" }), noMtu("65536")],
    [
      file({ FLANNEL_IPMASQ: "maybe" }),
      "FLANNEL_IPMASQ is 'maybe', which is neither true nor false",
    ],
  ];
  for (const [text, why] of cases) {
    const { message } = assertThrows(() => parseFlannelEnv(text, "/x/subnet.env"), HpkError);
    assertEquals(
      message,
      `cannot use /x/subnet.env: ${why}; check that flanneld is running and wrote it, ` +
        "or use --network static --subnet CIDR",
    );
  }
});

Deno.test("parseFlannelEnv() fails only with an explanation", () => {
  const random = new RandomText(3);
  const parts = [
    ...[
      "FLANNEL_NETWORK",
      "FLANNEL_SUBNET",
      "FLANNEL_MTU",
      "FLANNEL_IPMASQ",
      "__proto__",
      "toString",
    ],
    ...["=", "=", "=", "\n", "\n", "\r", "\0", '"', "'", "[", "]", "#", " ", "é"],
    ...["10.244.0.0/16", "10.244.1.1/24", "1450", "true", "null", "0x10", "1e9"],
  ];
  for (let round = 0; round < 20_000; round++) {
    const text = random.text(parts, 24);
    try {
      parseFlannelEnv(text, "/run/flannel/subnet.env");
    } catch (error) {
      if (!(error instanceof HpkError)) throw new Error(JSON.stringify(text), { cause: error });
    }
  }
});
