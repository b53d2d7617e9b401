import { assert, assertEquals, assertThrows } from "@std/assert";
import { RandomText } from "../testing/random.ts";
import { HpkError } from "./errors.ts";
import { PUBLISH_SYNTAX } from "./published_port.ts";
import { CONFIG_PATH, resolveSettings, type SettingInputs } from "./settings.ts";
import { isMtu, SETTINGS } from "./settings_table.ts";

const DEFAULTS = {
  network: "auto",
  subnet: undefined,
  subnet6: undefined,
  bridge: "hpk-bridge",
  uplink: undefined,
  mtu: undefined,
  datapath: "auto",
  dns: [],
  names: true,
  flannelEnv: "/run/flannel/subnet.env",
  wait: 0,
  linger: 10,
  publish: [],
  isolated: false,
  masquerade: true,
  allowImds: false,
};

/** Resolves with a configuration file of these lines, and what else is given. */
function resolve(lines: readonly string[] | undefined, more: Partial<SettingInputs> = {}) {
  const file = lines === undefined ? undefined : { path: CONFIG_PATH, text: lines.join("\n") };
  return resolveSettings({ file, environment: {}, options: {}, ...more });
}

const refusal = (lines: readonly string[] | undefined, more?: Partial<SettingInputs>): string =>
  assertThrows(() => resolve(lines, more), HpkError).message;

Deno.test("resolveSettings() has a default for everything, and says so", () => {
  const { settings, sources } = resolve(undefined);
  assertEquals(settings, DEFAULTS as never);
  assertEquals<string[]>(sources.map(({ key }) => key), Object.keys(SETTINGS));
  assert(sources.every(({ origin }) => origin === "default"));
});

Deno.test("resolveSettings() reads every key of the file", () => {
  const { settings, sources } = resolve([
    "# ours",
    "[network]",
    "network = static",
    "subnet=10.96.0.0/24",
    "subnet6 = fd00:96::/64",
    "bridge = br0",
    "uplink = eth0",
    "mtu = 1400",
    "datapath = veth",
    "dns = 192.0.2.53, 2001:db8::53",
    "names = no",
    'flannel-env = "/tmp/subnet.env"',
    "wait = 30",
    "linger = 3",
    "publish = 8080:80, [::1]:0:53/udp",
    "isolated = yes",
    "masquerade = no",
    "allow-imds = yes",
  ]);
  assertEquals(settings, {
    network: "static",
    subnet: "10.96.0.0/24",
    subnet6: "fd00:96::/64",
    bridge: "br0",
    uplink: "eth0",
    mtu: 1400,
    datapath: "veth",
    dns: ["192.0.2.53", "2001:db8::53"],
    names: false,
    flannelEnv: "/tmp/subnet.env",
    wait: 30,
    linger: 3,
    publish: [
      { protocol: "tcp", hostAddress: null, hostPort: 8080, containerPort: 80, count: 1 },
      { protocol: "udp", hostAddress: "::1", hostPort: 0, containerPort: 53, count: 1 },
    ],
    isolated: true,
    masquerade: false,
    allowImds: true,
  });
  assertEquals(
    sources.map(({ origin }) => origin),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18].map((line) =>
      `${CONFIG_PATH}:${line}`
    ),
  );
});

Deno.test("resolveSettings() lets an option beat the environment, that the file, and that the default", () => {
  const file = ["[network]", "mtu = 1400"];
  const environment = { HPK_MTU: "1300", HPK_FLANNEL_ENV: "/x" };
  const options = { mtu: "1200" };
  const cases: [Partial<SettingInputs>, string, string][] = [
    [{ environment, options }, "1200", "option --mtu"],
    [{ environment }, "1300", "environment HPK_MTU"],
    [{}, "1400", `${CONFIG_PATH}:2`],
    [{ environment: { HPK_MTU: "" } }, "1400", `${CONFIG_PATH}:2`],
  ];
  for (const [more, value, origin] of cases) {
    const { settings, sources } = resolve(file, more);
    assertEquals(settings.mtu, Number(value));
    assertEquals(sources.find(({ key }) => key === "mtu"), { key: "mtu", value, origin });
  }
  assertEquals(resolve(file, { environment }).settings.flannelEnv, "/x");
});

Deno.test("resolveSettings() takes a value as it is written", () => {
  const cases: [string, string][] = [
    ["007", "007"],
    ["1e3", "1e3"],
    ["true", "true"],
    ["null", "null"],
    ['"null"', "null"],
    ['"eth0"', "eth0"],
    ["", "hpk-bridge"],
    ['""', "hpk-bridge"],
  ];
  for (const [written, value] of cases) {
    assertEquals(resolve(["[network]", `bridge = ${written}`]).settings.bridge, value, written);
  }
});

Deno.test("resolveSettings() takes an empty file, CRLF, and of a key given twice the last", () => {
  for (const lines of [[], [""], ["# nothing"], ["[network]"], ["; no", "// no"]]) {
    assertEquals(resolve(lines).settings, DEFAULTS as never);
  }
  const crlf = { path: CONFIG_PATH, text: "[network]\r\nmtu = 1400\r\nbridge = br0\r\n" };
  assertEquals(resolve(undefined, { file: crlf }).settings.bridge, "br0");
  assertEquals(
    refusal(["[network]", "mtu = 1400", "mtu = big"]).slice(0, CONFIG_PATH.length + 3),
    `${CONFIG_PATH}:3:`,
  );
});

Deno.test("resolveSettings() names file and line of what cannot be read", () => {
  const keys = `keys are ${Object.keys(SETTINGS).join(", ")}`;
  const unknown = (what: string, why: string) => `unknown ${what}: ${why}; ${keys}`;
  const noKey = (key: string) => unknown(`key '${key}'`, "no setting has that name");
  const misplaced = (what: string) => unknown(what, "keys stand in the section [network]");
  const noIni = "cannot read this line: it is not INI; write 'key = value' or '[network]'";
  const cases: [string[], number, string][] = [
    [["[network]", "", "colour = blue"], 3, noKey("colour")],
    [["[network]", "MTU = 1400"], 2, noKey("MTU")],
    [["[network]", "toString = x"], 2, noKey("toString")],
    [["[network]", "__proto__ = x"], 2, noKey("__proto__")],
    [["mtu = 1400"], 1, misplaced("key 'mtu'")],
    [["mtu = 1400", "[network]", "mtu = 1400"], 1, misplaced("key 'mtu'")],
    [["[network]", "mtu = 1400", "[mtu]", "x = y"], 3, misplaced("section 'mtu'")],
    [["[mtu]", "x = y", "[network]", "mtu = 1400"], 1, misplaced("section 'mtu'")],
    [["network = static"], 1, misplaced("key 'network'")],
    [["[network]", "mtu 1400"], 2, noIni],
    [["[network", "mtu = 1400"], 1, noIni],
    [["[network]", "= 1400"], 2, noIni],
    [["[]"], 1, noIni],
  ];
  for (const [lines, line, message] of cases) {
    assertEquals(refusal(lines), `${CONFIG_PATH}:${line}: ${message}`);
  }
});

const EXPECTED = {
  "network": "one of auto, flannel, static, host, none",
  "subnet": "an IPv4 network such as 10.96.0.0/24",
  "bridge": "an interface name",
  "uplink": "an interface name",
  "mtu": "a number of bytes from 68 to 65535",
  "datapath": "one of auto, veth, tap, relay",
  "dns": "IP addresses separated by commas",
  "names": "yes or no",
  "flannel-env": "an absolute path",
  "wait": "a number of seconds from 0 to 3600",
  "linger": "a number of seconds from 0 to 3600",
  "subnet6": "an IPv6 network such as fd00:96::/64",
  "publish": PUBLISH_SYNTAX,
  "isolated": "yes or no",
  "masquerade": "yes or no",
  "allow-imds": "yes or no",
} as const;

Deno.test("resolveSettings() refuses a wrong value, and names where it came from", () => {
  const cases: [keyof typeof EXPECTED, readonly string[]][] = [
    ["network", ["bridge", "Flannel", "static,host"]],
    ["subnet", ["10.96.0.0", "10.96.0.0/33", "fd00::/64", "auto"]],
    ["bridge", ["a/b", "a b", "br%d", "hpk+", "-x", "abcdefghijklmnop"]],
    ["uplink", ["eth0:1", "..", "!eth0"]],
    ["mtu", ["0", "67", "65536", "-1", "1e3", "1500.0", "big", "0x5dc"]],
    ["datapath", ["fast", "VETH"]],
    ["dns", [
      "192.0.2",
      "localhost",
      "192.0.2.1 192.0.2.2",
      "fe80::1%eth0",
      "::1]/x[",
      ",",
      "1.1.1.1,",
    ]],
    ["names", ["0", "Yes"]],
    ["flannel-env", ["subnet.env", "./x", "~"]],
    ["wait", ["-1", "1.5", "3601", "1m", "forever"]],
    ["linger", ["-1", "1.5", "3601", "1m", "forever"]],
    ["subnet6", ["fd00::", "fd00::/129", "10.96.0.0/24", "fd00:96::/x"]],
    ["publish", ["80", "80:80/sctp", "80:80;81:81"]],
    ["isolated", ["true", "1"]],
    ["masquerade", ["YES"]],
    ["allow-imds", ["on"]],
  ];
  for (const [key, values] of cases) {
    const variable = `HPK_${key.toUpperCase().replace("-", "_")}`;
    for (const value of values) {
      const why = `cannot use ${key} '${value}': the value is wrong; give ${EXPECTED[key]}`;
      assertEquals(refusal(["[network]", `${key} = ${value}`]), `${CONFIG_PATH}:2: ${why}`);
      const environment = { [variable]: value };
      assertEquals(refusal(undefined, { environment }), `environment ${variable}: ${why}`);
      const option = key === "masquerade" ? "no-masquerade" : key;
      assertEquals(refusal(undefined, { options: { [key]: value } }), `option --${option}: ${why}`);
    }
  }
});

Deno.test("resolveSettings() passes over a wrong value that a stronger one replaces", () => {
  const { settings } = resolve(["[network]", "mtu = big"], { options: { mtu: "1400" } });
  assertEquals(settings.mtu, 1400);
});

Deno.test("resolveSettings() folds a value with a line feed into one line of error", () => {
  assertEquals(
    refusal(undefined, { environment: { HPK_SUBNET: "10.0.0.0/8\nx" } }),
    "environment HPK_SUBNET: cannot use subnet '10.0.0.0/8 x': the value is wrong; " +
      "give an IPv4 network such as 10.96.0.0/24",
  );
});

Deno.test("isMtu() holds from 68 to 65535", () => {
  for (const text of ["68", "1500", "65535", "01500"]) assert(isMtu(text), text);
  for (const text of ["", "67", "65536", "100000", " 1500", "+1500", "1500 "]) {
    assert(!isMtu(text), text);
  }
});

Deno.test("no file makes resolveSettings() fail but with an explanation", () => {
  const random = new RandomText(4);
  const parts = [
    ...["[network]", "[", "]", "=", "=", "=", "\n", "\n", "\n", "\r", "\r\n", '"', "#", " ", "\t"],
    ...["mtu", "bridge", "dns", "network", "__proto__", "constructor", "1400", "br0", "null", "é"],
  ];
  for (let round = 0; round < 20_000; round++) {
    const text = random.text(parts, 20);
    try {
      resolve(undefined, { file: { path: "/c", text } });
    } catch (error) {
      if (!(error instanceof HpkError)) throw new Error(JSON.stringify(text), { cause: error });
      assert(/^\/c:[1-9][0-9]*: /.test(error.message), `${error.message} ${JSON.stringify(text)}`);
    }
  }
});
