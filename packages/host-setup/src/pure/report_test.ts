import { assertEquals } from "@std/assert";
import type { Change } from "./item.ts";
import { formatSetup, formatUndo, isUnfinished, valueText } from "./report.ts";

const CHANGES: Change[] = [
  {
    group: "kernel settings",
    kind: "sysctl",
    id: "net/ipv4/ip_forward",
    old: "0",
    new: "1",
    reason: "to forward",
  },
  {
    group: "firewall",
    kind: "firewall",
    id: "iptables",
    old: "*nat\n-A a",
    new: "*nat\n-A b",
    reason: "for NAT",
  },
  {
    group: "start at boot",
    kind: "file",
    id: "/etc/x",
    old: "one\ntwo\n",
    new: null,
    reason: "it is no longer needed",
  },
];

Deno.test("formatSetup groups changes, with reasons, values and differing lines", () => {
  assertEquals(
    formatSetup({ changes: CHANGES, notes: ["look"], problems: ["missing"] }, false),
    `kernel settings
  net.ipv4.ip_forward: 0 -> 1
      to forward

firewall
  our chains in iptables: 2 lines -> 2 lines
      for NAT
      - -A a
      + -A b

start at boot
  /etc/x: 2 lines -> absent
      it is no longer needed
      - one
      - two

note: look
problem: missing
3 changes; 'host-setup --apply' makes them
`,
  );
});

Deno.test("formatSetup of a host that is set up is one line", () => {
  const nothing = { changes: [], notes: [], problems: [] };
  assertEquals(formatSetup(nothing, true), "nothing to change: the host is set up\n");
  assertEquals(formatSetup(nothing, false), "nothing would change\n");
  assertEquals(formatSetup({ ...nothing, problems: ["x"] }, true), "problem: x\n");
  assertEquals(
    formatSetup({ ...nothing, changes: [CHANGES[0]!] }, true).includes("1 change made"),
    true,
  );
});

Deno.test("formatUndo reports what was restored and what stays", () => {
  const left = { kind: "bridge", id: "hpk0", why: "containers are on it", later: true } as const;
  const { reason: _, ...restored } = CHANGES[2]!;
  assertEquals(
    formatUndo({ restored: [restored], left: [left] }),
    "/etc/x: 2 lines -> absent\nleft: bridge hpk0: containers are on it\n",
  );
  assertEquals(isUnfinished({ restored: [], left: [left] }), true);
  assertEquals(formatUndo({ restored: [], left: [] }).startsWith("nothing to undo"), true);
});

Deno.test("valueText is short", () => {
  assertEquals([valueText("sysctl", "1"), valueText("file", "a\n"), valueText("bridge", null)], [
    "1",
    "1 line",
    "absent",
  ]);
});
