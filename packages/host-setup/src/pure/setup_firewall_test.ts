import { assertEquals } from "@std/assert";
import { parseCidr } from "@hpk/core";
import {
  formatChains,
  parseChains,
  passChains,
  presentChains,
  setupChains,
} from "./setup_firewall.ts";

const NETWORK = {
  name: "hpk",
  bridge: "hpk0",
  subnet: parseCidr("10.72.0.0/16")!,
  mtu: 1500,
  bridgeNetfilter: false,
};
const CHAINS = setupChains(NETWORK, "enX0", "closed");

/** As iptables-save prints chains: policies and counters, a jump, then the rules. */
function saved(text: string): string {
  return text.split(/^\*/m).filter((block) => block !== "").map((block) => {
    const [table, ...rules] = block.trimEnd().split("\n");
    const names = new Set(rules.map((rule) => rule.split(" ")[1]!));
    const heads = [...names].map((name) =>
      `:${name} ${name === name.toUpperCase() && !name.startsWith("HPK") ? "ACCEPT" : "-"} [0:0]`
    );
    return [`*${table}`, ...heads, "-A FORWARD -s 192.0.2.1/32 -j DROP", ...rules, "COMMIT"].join(
      "\n",
    );
  }).join("\n");
}

Deno.test("formatChains and parseChains are inverse", () => {
  assertEquals(parseChains(formatChains(CHAINS)), CHAINS);
  assertEquals(parseChains(""), []);
});

Deno.test("presentChains finds the chains of formatChains among other rules", () => {
  assertEquals(presentChains(saved(formatChains(CHAINS))), formatChains(CHAINS));
  assertEquals(
    presentChains(saved(formatChains(passChains(CHAINS)))),
    formatChains(passChains(CHAINS)),
  );
});

Deno.test("presentChains detects a missing jump, a missing rule and a second jump", () => {
  const whole = saved(formatChains(CHAINS));
  const wrong = [
    whole.replace("-A POSTROUTING -j HPK-SETUP-POST\n", ""),
    whole.replace(/-A HPK-SETUP-POST .* -j MASQUERADE\n/, ""),
    whole.replace("-A POSTROUTING -j HPK-SETUP-POST\n", "$&$&"),
  ];
  for (const text of wrong) assertEquals(presentChains(text) === formatChains(CHAINS), false);
});

Deno.test("presentChains: null if nothing is ours", () => {
  assertEquals(presentChains(""), null);
  assertEquals(
    presentChains("*filter\n:FORWARD DROP [1:2]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n"),
    null,
  );
});

Deno.test("setupChains: without an uplink all but the bridge, and the metadata service by choice", () => {
  const text = formatChains(setupChains(NETWORK, undefined, "open"));
  assertEquals(text.includes("-s 10.72.0.0/16 ! -o hpk0 -j MASQUERADE"), true);
  assertEquals(text.includes("169.254.169.254"), false);
  assertEquals(formatChains(CHAINS).includes("-d 169.254.169.254/32 -i hpk0 -j DROP"), true);
});
