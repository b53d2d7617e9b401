import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { isOriginalCommandLine, readOriginalFlags } from "./original_flags.ts";

const MINIMAL = {
  createTap: false,
  mtu: undefined,
  offload: true,
  mac: undefined,
  address: undefined,
  readyFd: undefined,
  exitWith: undefined,
  quiet: false,
};

Deno.test("the original's flags are read as Go reads them", () => {
  const expected = { ...MINIMAL, mode: "server", socket: "/s", tap: "t0" } as const;
  for (
    const line of [
      "-mode server -socket /s -tap t0",
      "--mode=server --socket=/s --tap=t0",
      "-tap=t0 -mode=server -socket /s",
    ]
  ) {
    assertEquals(readOriginalFlags(line.split(" ")), expected, line);
  }
  const all =
    "-mode client -socket /s -create-tap -mtu 1450 -offload=off -mac 0a:58:0a:09:00:02 -ip 10.9.0.2 -quiet -ready-fd 1 -exit-with 7";
  assertEquals(readOriginalFlags(all.split(" ")), {
    mode: "client",
    socket: "/s",
    tap: "tap0",
    createTap: true,
    mtu: 1450,
    offload: false,
    mac: "0a:58:0a:09:00:02",
    address: 0x0a090002,
    readyFd: 1,
    exitWith: 7,
    quiet: true,
  });
});

Deno.test("a wrong command line is reported in one line", () => {
  const cases: [line: string, named: string][] = [
    ["-mode both -socket /s", "-mode 'both'"],
    ["-mode server", "-socket"],
    ["-mode server -socket /s -tap a/b", "-tap 'a/b'"],
    ["-mode server -socket /s -tap tap%d", "-tap 'tap%d'"],
    ["-mode server -socket /s -mtu 9", "-mtu '9'"],
    ["-mode server -socket /s -mtu", "-mtu"],
    ["-mode server -socket /s -ready-fd x", "-ready-fd 'x'"],
    ["-mode server -socket /s -verbose", "-verbose"],
    ["-mode server -socket /s -ip 10.9.0.2", "-ip '10.9.0.2'"],
    ["-mode server -socket /s -offload maybe", "-offload 'maybe'"],
  ];
  for (const [line, named] of cases) {
    const error = assertThrows(() => readOriginalFlags(line.split(" ")), HpkError);
    assertStringIncludes(error.message, named, line);
  }
});

Deno.test("a command is not mistaken for the original's command line", () => {
  assertEquals(isOriginalCommandLine(["-mode", "server"]), true);
  assertEquals(isOriginalCommandLine(["-tap=x"]), true);
  assertEquals(isOriginalCommandLine(["serve", "--directory", "/x"]), false);
  assertEquals(isOriginalCommandLine(["status", "--json"]), false);
});
