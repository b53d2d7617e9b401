import { assert, assertEquals, assertThrows } from "@std/assert";
import { HpkError, SETTINGS } from "@hpk/core";
import {
  checkContainerName,
  NETWORK_OPTIONS,
  networkOption,
  readNetworkOptions,
} from "./network_options.ts";

Deno.test("the options are those in the help", () => {
  assertEquals(
    NETWORK_OPTIONS.map(({ name }) => name),
    [
      ...["network", "subnet", "subnet6", "uplink", "mtu", "datapath", "dns", "wait", "publish"],
      ...["isolated", "no-masquerade", "allow-imds"],
      ...["ip", "name", "host-network"],
    ],
  );
  for (const { name } of NETWORK_OPTIONS) assert(networkOption(name) !== undefined, name);
  for (const name of ["", "net", "network-args", "Network", "bridge", "toString"]) {
    assert(networkOption(name) === undefined, name);
  }
});

Deno.test("every option is a setting, except --ip, --name and aliases", () => {
  const given = NETWORK_OPTIONS.map(({ name }) => name).filter((name) => name !== "host-network")
    .map((name): [string, string] => [name, "v"]);
  const { settings, ip, name } = readNetworkOptions(given);
  assertEquals([ip, name], ["v", "v"]);
  const keys = Object.keys(settings);
  assertEquals(keys.length, NETWORK_OPTIONS.length - 3);
  assert(keys.every((key) => Object.hasOwn(SETTINGS, key)));
});

Deno.test("--host-network is short for --network host", () => {
  const read = (value: string) => readNetworkOptions([["host-network", value]]).settings;
  assertEquals(read("yes"), { network: "host" });
  assertEquals(read("no"), {});
  assertThrows(() => read("x"), HpkError, "--host-network");
});

Deno.test("a switch is yes, and --no-masquerade inverts the setting", () => {
  const read = (...given: [string, string][]) => readNetworkOptions(given).settings;
  assertEquals(read(["isolated", "yes"], ["allow-imds", "no"]), {
    isolated: "yes",
    "allow-imds": "no",
  });
  assertEquals(read(["no-masquerade", "yes"]), { masquerade: "no" });
  assertEquals(read(["no-masquerade", "no"]), { masquerade: "yes" });
  assertEquals(read(["no-masquerade", "x"]), { masquerade: "x" });
  assertEquals(read(["publish", "80:80"], ["publish", "81:81"]), { publish: "80:80,81:81" });
});

Deno.test("the last value of an option counts, but DNS servers add up", () => {
  const given = [["mtu", "1"], ["dns", "a"], ["mtu", "2"], ["dns", "b,c"], ["ip", "x"]] as const;
  assertEquals(readNetworkOptions([...given]), {
    settings: { dns: "a,b,c", mtu: "2" },
    ip: "x",
    name: undefined,
  });
  assertEquals(readNetworkOptions([]), { settings: {}, ip: undefined, name: undefined });
});

Deno.test("an empty value is refused", () => {
  for (const { name } of NETWORK_OPTIONS) {
    const { message } = assertThrows(() => readNetworkOptions([[name, ""]]), HpkError);
    assertEquals(message, `cannot use --${name}: its value is empty; give one`);
  }
});

Deno.test("an invalid container name is refused", () => {
  assertThrows(() => readNetworkOptions([["name", "a/b"]]), HpkError, "cannot name a container");
  assertThrows(() => readNetworkOptions([["name", "a"], ["name", "-"]]), HpkError, "'-'");
});

Deno.test("checkContainerName() refuses invalid names", () => {
  for (const name of ["web", "0", "a".repeat(63)]) checkContainerName(name);
  for (const name of ["", "-a", "a b", "a/b", "a".repeat(64)]) {
    const { message } = assertThrows(() => checkContainerName(name), HpkError);
    assertEquals(
      message,
      `cannot name a container '${name}': a name has at most 63 letters, digits, hyphens, dots and ` +
        "underscores and begins with a letter or digit; choose another name",
    );
  }
});
