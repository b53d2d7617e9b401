import { assertEquals } from "@std/assert";
import { TempDirectory } from "@hpk/core/testing";
import { type Caller, NO_STREAMS } from "../shared/pure/caller.ts";
import { readConfiguration } from "./configuration.ts";

Deno.test("readConfiguration() uses the caller's environment and directory, not this process's", () => {
  using directory = new TempDirectory();
  directory.write("hpk.ini", "[network]\nsubnet = 10.96.0.0/24\nmtu = 1300\n");
  const caller: Caller = {
    uid: 0,
    gid: 0,
    environment: { HPK_CONFIG: "hpk.ini", HPK_MTU: "1400" },
    directory: directory.path,
    process: { pid: 1, startTime: 0, bootId: "" },
    streams: NO_STREAMS,
  };
  const { settings, sources } = readConfiguration(caller, {});
  assertEquals([settings.mtu, sources.find(({ key }) => key === "subnet")?.origin], [
    1400,
    "hpk.ini:2",
  ]);
});
