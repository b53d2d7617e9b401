/** What --verify has proved, and what to do about the rest. */

/** One proof. */
export interface Proof {
  readonly id:
    | "container"
    | "outbound"
    | "inbound"
    | "local"
    | "hairpin"
    | "dns"
    | "mss"
    | "offload";
  /** "skipped" where this host has nothing to try it with. */
  readonly status: "ok" | "failed" | "skipped";
  /** What was tried. */
  readonly what: string;
  /** What was seen. */
  readonly found: string;
  /** What to do; empty where nothing is to be done. */
  readonly fix: string;
}

/** What to do when a proof fails. */
export const FIXES: Readonly<Record<Proof["id"], string>> = {
  container: "see the message of the CNI plugin; is the bridge's subnet in use elsewhere?",
  outbound:
    "run --apply; if the uplink is the wrong one name it with --uplink; see the cloud's security group and route table",
  inbound: "run --apply; see the rules of other programs in PREROUTING and FORWARD (iptables-save)",
  local: "run --apply; see the rules of other programs in OUTPUT of the table nat",
  hairpin: "run --apply; see the rules of other programs in POSTROUTING of the table nat",
  dns: "see /etc/resolv.conf: the server must be one that other hosts reach as well",
  mss: "run --apply: the rule that fits TCP's segments to the path is missing",
  offload: "run --apply, or choose '--offload all' where a driver gets checksums wrong",
};

/** What is done about a failure. */
export function failed(id: Proof["id"], what: string, found: string): Proof {
  return { id, status: "failed", what, found, fix: FIXES[id] };
}

/** For people. */
export function formatProofs(proofs: readonly Proof[]): string {
  const lines = proofs.flatMap(({ id, status, what, found, fix }) => [
    `${status.padEnd(7)} ${id.padEnd(9)} ${what}: ${found}`,
    ...(fix === "" ? [] : [`        to do: ${fix}`]),
  ]);
  const count = (status: Proof["status"]) =>
    proofs.filter((proof) => proof.status === status).length;
  return `${lines.join("\n")}\n${count("ok")} ok, ${count("failed")} failed, ${
    count("skipped")
  } skipped\n`;
}
