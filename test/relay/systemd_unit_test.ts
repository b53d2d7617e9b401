/** Checks the daemon's unit with the tool that reads it. */
import { assertEquals } from "@std/assert";
import { PrivateHost, program, testIf } from "../harness/mod.ts";
import { needs, NET_DAEMON } from "./_daemon.ts";

const UNIT = new URL("../../scripts/systemd/hpk-net-daemon.service", import.meta.url).pathname;

testIf({
  name: "systemd accepts the daemon's unit",
  needs: [...needs, program("systemd-analyze")],
}, async () => {
  await using host = await PrivateHost.create();
  await host.sh(`mount -t tmpfs tmpfs /usr/local/bin && cp ${NET_DAEMON} /usr/local/bin/`);
  const { code, stderr } = await host.run("systemd-analyze", ["verify", "--man=no", UNIT], {
    check: false,
  });
  assertEquals([code, stderr], [0, ""]);
});
