import { assertEquals } from "@std/assert";
import { addressIn, pluginInput, removalOfNewCniChains } from "./cni_call.ts";

const LIST = {
  cniVersion: "0.4.0",
  name: "hpk",
  plugins: [{ type: "bridge", bridge: "hpk0" }, {
    type: "portmap",
    capabilities: { portMappings: true },
  }],
};
const PORT = { hostPort: 80, containerPort: 8080, protocol: "tcp" } as const;

Deno.test("pluginInput gives each plugin its own input", () => {
  assertEquals(JSON.parse(pluginInput(LIST, 0, [PORT], undefined)), {
    cniVersion: "0.4.0",
    name: "hpk",
    type: "bridge",
    bridge: "hpk0",
  });
  assertEquals(JSON.parse(pluginInput(LIST, 1, [PORT], { ips: [] })), {
    cniVersion: "0.4.0",
    name: "hpk",
    type: "portmap",
    runtimeConfig: { portMappings: [PORT] },
    prevResult: { ips: [] },
  });
});

Deno.test("addressIn reads the first address", () => {
  assertEquals(addressIn({ ips: [{ address: "10.72.0.2/16" }] }), "10.72.0.2");
  assertEquals(addressIn({ ips: [] }), undefined);
  assertEquals(addressIn(undefined), undefined);
});

const BEFORE =
  "*filter\n:FORWARD ACCEPT [0:0]\n:CNI-ADMIN - [0:0]\n-A FORWARD -j CNI-ADMIN\nCOMMIT\n";
const AFTER = `*filter
:FORWARD ACCEPT [0:0]
:CNI-ADMIN - [0:0]
:CNI-FORWARD - [0:0]
-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A FORWARD -j CNI-ADMIN
-A CNI-FORWARD -s 10.72.0.2/32 -j ACCEPT
COMMIT
`;

Deno.test("removalOfNewCniChains removes only new chains, with the jumps to them", () => {
  assertEquals(
    removalOfNewCniChains(BEFORE, AFTER),
    `*filter
-D FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-F CNI-FORWARD
-X CNI-FORWARD
COMMIT
`,
  );
  assertEquals(removalOfNewCniChains(AFTER, AFTER), "");
  assertEquals(removalOfNewCniChains("", ""), "");
});
