import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "./errors.ts";
import { parseHostIni } from "./host_ini.ts";

Deno.test("parseHostIni reads ports without a heading", () => {
  assertEquals(parseHostIni("80 = instance:web:8080\n").ports, [{
    address: undefined,
    hostPort: 80,
    protocol: "tcp",
    instance: "web",
    containerPort: 8080,
    publish: "80:8080/tcp",
  }]);
});

Deno.test("parseHostIni reads sections, comments, addresses, protocols and other line ends", () => {
  const text = '\uFEFF# ours\r\n[network]\r\nuplink = enX0\r\nmtu="9001"\r\nimds = open\r\n\r\n' +
    "[ports]\r\n; DNS\r\n198.51.100.11:53/udp = instance:dns:5353\r\n53/tcp = instance:dns:53\r\n";
  const { network, ports } = parseHostIni(text);
  assertEquals(network, { uplink: "enX0", mtu: "9001", imds: "open" });
  assertEquals(ports.map((port) => port.publish), ["198.51.100.11:53:5353/udp", "53:53/tcp"]);
});

Deno.test("parseHostIni accepts one port on two addresses", () => {
  const text =
    "192.0.2.1:80 = instance:a:80\n192.0.2.2:80 = instance:b:80\n80/udp = instance:b:80\n";
  assertEquals(parseHostIni(text).ports.length, 3);
});

Deno.test("parseHostIni reads an empty file", () => {
  assertEquals(parseHostIni(""), { network: {}, ports: [] });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ["80", /^\/x:1: cannot read '80'/],
  ["= instance:web:80", /^\/x:1: cannot read '= instance/],
  ["\n\n80 = web:80", /^\/x:3: cannot read 'web:80': it is not instance:NAME:PORT/],
  ["80 = instance:web", /^\/x:1: cannot read 'instance:web'/],
  ["80 = instance:web:0", /^\/x:1: /],
  ["80 = instance:web:65536", /^\/x:1: /],
  ["80 = instance:-web:80", /^\/x:1: /],
  ["0 = instance:web:80", /^\/x:1: cannot read the port '0'/],
  ["65536 = instance:web:80", /^\/x:1: cannot read the port/],
  ["80/sctp = instance:web:80", /^\/x:1: cannot read the port '80\/sctp'/],
  ["1.2.3:80 = instance:web:80", /^\/x:1: cannot read the port '1\.2\.3:80'/],
  ["uplink = enX0", /^\/x:1: cannot read the port 'uplink'.*below \[network\]/],
  ["[port]\n", /^\/x:1: unknown section 'port'/],
  ["[network]\ndns = 192.0.2.1", /^\/x:2: unknown key 'dns'.*keys are subnet/],
  ["[network]\nmtu = 9k", /^\/x:2: cannot use mtu '9k'.*68 to 65535/],
  ["[network]\nsubnet = 10.72.0.1/16", /^\/x:2: cannot use subnet/],
  ["[network]\nbridge = a b", /^\/x:2: cannot use bridge/],
  ["[network]\nname = a/b", /^\/x:2: cannot use name/],
  ["[network]\noffload = off", /^\/x:2: cannot use offload.*own, all, keep/],
  ["[network]\nimds = shut", /^\/x:2: cannot use imds/],
  ["[network]\nmtu = 1500\nmtu = 1400", /^\/x:3: 'mtu' is set twice: line 2 sets it too/],
  ["80 = instance:a:80\n80 = instance:b:80", /^\/x:2: port 80 is published twice.*instance a/],
  ["80 = instance:a:80\n192.0.2.1:80/tcp = instance:b:80", /^\/x:2: port .* published twice/],
];

for (const [text, message] of WRONG) {
  Deno.test(`parseHostIni reports the wrong line of ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => parseHostIni(text, "/x"), HpkError);
    assertEquals(message.test(error.message), true, error.message);
  });
}
