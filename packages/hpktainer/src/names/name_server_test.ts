import { assertEquals } from "@std/assert";
import { TempDirectory } from "@hpk/core/testing";
import { nameServerPid, stopNameServer } from "./name_server.ts";

const pathsIn = (directory: TempDirectory) => ({
  names: directory.at("names"),
  pidFile: directory.at("pid"),
  resolvConf: directory.at("resolv.conf"),
});

Deno.test("nameServerPid() needs a pid, and does not mistake another process for a server", () => {
  using directory = new TempDirectory();
  const paths = pathsIn(directory);
  assertEquals(nameServerPid(paths), undefined);
  for (const text of ["", "nonsense", "0", "-1", "4194304", `${Deno.pid}\n`]) {
    directory.write("pid", text);
    assertEquals(nameServerPid(paths), undefined, text);
  }
});

Deno.test("stopNameServer() stops what was started with its paths, and nothing else", async () => {
  using directory = new TempDirectory();
  using other = new TempDirectory();
  // A server is recognised by its arguments.
  const start = ({ pidFile }: { pidFile: string }) =>
    new Deno.Command("sh", {
      args: ["-c", "read line", "dnsmasq", `--pid-file=${pidFile}`],
      stdin: "piped",
    }).spawn();
  const own = start(pathsIn(directory));
  const foreign = start(pathsIn(other));
  directory.write("pid", `${own.pid}\n`);
  assertEquals(nameServerPid(pathsIn(directory)), own.pid);
  await stopNameServer(pathsIn(directory));
  assertEquals((await own.status).signal, "SIGTERM");
  assertEquals(nameServerPid(pathsIn(directory)), undefined);
  other.write("pid", `${foreign.pid}\n`);
  assertEquals(nameServerPid(pathsIn(other)), foreign.pid);
  foreign.kill("SIGKILL");
  await Promise.all([foreign.status, own.stdin.abort(), foreign.stdin.abort()]);
});
