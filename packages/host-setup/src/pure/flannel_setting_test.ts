import { assertEquals } from "@std/assert";
import { CONFIG_PATH, resolveSettings } from "@hpk/core";
import { FLANNEL_LINE, networkLine, withFlannel, withoutFlannel } from "./flannel_setting.ts";

/** Texts without the line, as an administrator may have written them. */
const TEXTS = [
  "# ours\n",
  "[network]\nmtu = 1400\n",
  "# ours\n\n[network]\n# the bridge\nbridge = br7\n\n",
  "[network]\r\nmtu = 1400\r\n",
];

Deno.test("withFlannel() sets the network, and withoutFlannel() gives the text back", () => {
  for (const text of TEXTS) {
    assertEquals(networkLine(text), null);
    const changed = withFlannel(text);
    assertEquals(networkLine(changed), FLANNEL_LINE);
    const file = { path: CONFIG_PATH, text: changed };
    const { settings } = resolveSettings({ file, environment: {}, options: {} });
    assertEquals(settings.network, "flannel");
    assertEquals(withoutFlannel(changed), text);
  }
});

Deno.test("withoutFlannel() leaves no file that had nothing else in it", () => {
  assertEquals(withoutFlannel(withFlannel("")), undefined);
});

Deno.test("withoutFlannel() keeps what has been added since", () => {
  assertEquals(withoutFlannel(`${withFlannel("")}mtu = 1400\n`), "[network]\nmtu = 1400\n");
  assertEquals(withoutFlannel("[network]\nmtu = 1400\n"), "[network]\nmtu = 1400\n");
});

Deno.test("networkLine() is the last line of the section that sets it, in one spelling", () => {
  const cases: [string, string | null][] = [
    ["", null],
    ["network = static\n", null],
    ["[network]\n# network = static\n", null],
    ["[network]\n  network=static\n", "network = static"],
    ['[network]\nnetwork = "auto"\n', "network = auto"],
    ["[network]\nnetwork = none\nnetwork = host\n", "network = host"],
    ["[network]\nnetwork = flannel\r\n", FLANNEL_LINE],
  ];
  for (const [text, line] of cases) assertEquals(networkLine(text), line, text);
});
