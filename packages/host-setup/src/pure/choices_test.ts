import { assertEquals, assertThrows } from "@std/assert";
import { type HostIni, HpkError } from "@hpk/core";
import { type Choices, resolveSetup } from "./choices.ts";

const ini = (network: HostIni["network"]): HostIni => ({ network, ports: [] });

Deno.test("resolveSetup: defaults", () => {
  const { bridge, name, offload, imds, subnet, uplink, mtu, chosen } = resolveSetup(
    {},
    ini({}),
    {},
  );
  assertEquals([bridge, name, offload, imds], ["hpk0", "hpk", "own", "closed"]);
  assertEquals([subnet, uplink, mtu, chosen], [undefined, undefined, undefined, {}]);
});

const CASES:
  readonly (readonly [string, Choices, Choices, Choices, string | undefined, Choices])[] = [
    ["an option overrides the file", { uplink: "a" }, { uplink: "b" }, { uplink: "c" }, "a", {
      uplink: "a",
    }],
    ["the file overrides an earlier choice", {}, { uplink: "b" }, { uplink: "c" }, "b", {}],
    ["an earlier choice is kept", {}, {}, { uplink: "c" }, "c", { uplink: "c" }],
    ["auto drops it", { uplink: "auto" }, {}, { uplink: "c" }, undefined, {}],
    ["auto leaves the file alone", { uplink: "auto" }, { uplink: "b" }, { uplink: "c" }, "b", {}],
  ];

for (const [name, options, file, earlier, uplink, chosen] of CASES) {
  Deno.test(`resolveSetup: ${name}`, () => {
    const settings = resolveSetup(options, ini(file), earlier);
    assertEquals([settings.uplink, settings.chosen], [uplink, chosen]);
  });
}

Deno.test("resolveSetup rejects an invalid option", () => {
  const error = assertThrows(() => resolveSetup({ mtu: "9k" }, ini({}), {}), HpkError);
  assertEquals(
    error.message,
    "cannot use --mtu '9k': the value is wrong; give a number of bytes from 68 to 65535, or 'auto'",
  );
});
