import { HpkError } from "@hpk/core";
import { Ledger } from "@hpk/core/os";
import { runMonitor } from "../../monitor/monitor.ts";
import type { Caller } from "../../shared/pure/caller.ts";

/** `hpktainer monitor FD`, run by the first start. */
export async function watch(_caller: Caller, [descriptor]: readonly string[]): Promise<void> {
  if (!/^[0-9]{1,9}$/.test(descriptor ?? "")) {
    throw new HpkError({
      what: "cannot run 'hpktainer monitor'",
      why: "only hpktainer starts it",
      fix: "leave it out: it runs while containers do",
    });
  }
  await runMonitor(new Ledger(), Number(descriptor));
}
