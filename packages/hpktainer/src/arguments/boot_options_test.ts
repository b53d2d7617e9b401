import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { type ContainerInvocation, readArguments } from "./arguments.ts";

function read(...words: string[]): ContainerInvocation {
  const invocation = readArguments(["instance", "start", ...words, "boot.sif", "web"]);
  if (invocation.kind !== "container") throw new Error(invocation.kind);
  return invocation;
}

Deno.test("an instance is booted with --boot", () => {
  assertEquals(read().boot, undefined);
  assertEquals(read("--boot=false").boot, undefined);
  assertEquals(read("--boot").boot, {
    allow: [],
    timeout: 120,
    writable: "not at all",
    dropCapabilities: [],
    keepPrivileges: false,
    configuration: undefined,
  });
  assertEquals(read("--boot").options, ["--boot"]);
});

Deno.test("boot options are ours, and are not passed to Apptainer", () => {
  const { boot, options } = read(
    "--boot",
    ...["--boot-allow", "systemd-networkd.service", "--boot-allow=udev,time"],
    ...["--boot-timeout", "7"],
  );
  assertEquals(boot?.allow, ["systemd-networkd.service", "udev", "time"]);
  assertEquals(boot?.timeout, 7);
  assertEquals(options, ["--boot"]);
});

Deno.test("the user's options for the image and the capabilities are respected", () => {
  assertEquals(read("--boot", "--writable").boot?.writable, "in place");
  assertEquals(read("--boot", "-w").boot?.writable, "in place");
  assertEquals(read("--boot", "--overlay", "/o").boot?.writable, "as asked");
  const { boot } = read("--boot", "--drop-caps", "CAP_NET_RAW,CAP_NET_ADMIN", "--keep-privs");
  assertEquals(boot?.dropCapabilities, ["CAP_NET_RAW", "CAP_NET_ADMIN"]);
  assertEquals(boot?.keepPrivileges, true);
});

Deno.test("--host-network is --network host", () => {
  assertEquals(read("--boot", "--host-network").network.settings, { network: "host" });
  assertEquals(read("--host-network").options, []);
});

Deno.test("a boot option without --boot, and an invalid time, are errors", () => {
  for (
    const words of [
      ["--boot-allow", "udev"],
      ["--boot-timeout", "5"],
      ["--boot", "--boot-timeout", "0"],
      ["--boot", "--boot-timeout", "ten"],
      ["--boot", "--boot-timeout", "3601"],
      ["--boot", "--boot-allow="],
    ]
  ) assertThrows(() => read(...words), HpkError, undefined, words.join(" "));
  assertThrows(() => readArguments(["exec", "--boot-allow", "udev", "boot.sif", "true"]), HpkError);
});
