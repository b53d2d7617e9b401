import { HpkError, RELAY_DIRECTORY, type RelayAnswer, type RelayRequest } from "@hpk/core";
import { askRelay } from "@hpk/core/os";
import { formatStatus } from "../pure/status_text.ts";

/** Options of `hpk-net-daemon status`. */
export interface StatusOptions {
  readonly directory?: string;
  readonly json?: true;
  readonly prometheus?: true;
}

/**
 * Runs `hpk-net-daemon status`.
 *
 * @throws {HpkError} When none serves the directory.
 */
export async function runStatus(
  _context: undefined,
  { directory = RELAY_DIRECTORY, json, prometheus }: StatusOptions,
): Promise<void> {
  if (prometheus) {
    const { text } = await ask(directory, { version: 1, op: "metrics" });
    console.log((text ?? "").trimEnd());
    return;
  }
  const { status } = await ask(directory, { version: 1, op: "status" });
  console.log(json ? JSON.stringify(status) : formatStatus(status!).trimEnd());
}

async function ask(
  directory: string,
  request: RelayRequest,
): Promise<Extract<RelayAnswer, { ok: true }>> {
  const answer = await askRelay(directory, request);
  if (answer !== undefined) return answer;
  throw new HpkError({
    what: "cannot show the status",
    why: `no hpk-net-daemon serves ${directory}`,
    fix: "it runs while containers use --datapath tap or relay; or start 'hpk-net-daemon serve'",
  });
}
