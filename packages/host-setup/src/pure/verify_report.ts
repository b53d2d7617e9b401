/** The results of --verify, and how to fix failures. */

/** One check. */
export interface Proof {
  /** Its name for programs. */
  readonly id:
    | "container"
    | "outbound"
    | "inbound"
    | "local"
    | "hairpin"
    | "dns"
    | "mss"
    | "offload";
  /** "skipped" if this host cannot run it. */
  readonly status: "ok" | "failed" | "skipped";
  /** What was checked. */
  readonly what: string;
  /** What was observed. */
  readonly found: string;
  /** What to do; empty if nothing. */
  readonly fix: string;
}

/** What to do when a check fails. */
export const FIXES: Readonly<Record<Proof["id"], string>> = {
  container: "see the message of the CNI plugin; is the bridge's subnet in use elsewhere?",
  outbound:
    "run --apply; if the uplink is wrong set --uplink; see the cloud's security group and route table",
  inbound:
    "run --apply; check the rules of other programs in PREROUTING and FORWARD (iptables-save)",
  local: "run --apply; check the rules of other programs in OUTPUT of the table nat",
  hairpin: "run --apply; check the rules of other programs in POSTROUTING of the table nat",
  dns: "check /etc/resolv.conf: the server must be reachable from other hosts",
  mss: "run --apply: the rule that clamps the MSS to the path's MTU is missing",
  offload: "run --apply, or choose '--offload all' if a driver gets checksums wrong",
};

/** The fix for a failure. */
export function failed(id: Proof["id"], what: string, found: string): Proof {
  return { id, status: "failed", what, found, fix: FIXES[id] };
}

/** Formats the results as text. */
export function formatProofs(proofs: readonly Proof[]): string {
  const lines = proofs.flatMap(({ id, status, what, found, fix }) => [
    `${status.padEnd(7)} ${id.padEnd(9)} ${what}: ${found}`,
    ...(fix === "" ? [] : [`        fix: ${fix}`]),
  ]);
  const count = (status: Proof["status"]) =>
    proofs.filter((proof) => proof.status === status).length;
  return `${lines.join("\n")}\n${count("ok")} ok, ${count("failed")} failed, ${
    count("skipped")
  } skipped\n`;
}
