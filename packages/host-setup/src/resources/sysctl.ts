import { Ledger, readFileIfExists } from "@hpk/core/os";
import type { Resource } from "./resource.ts";
import { explain } from "./write_file.ts";

/** The one setting that hpktainer changes as well. */
export const FORWARDING_KEY = "net/ipv4/ip_forward";

/** Kernel settings; an id is a path below /proc/sys, a value a setting's text. */
export function sysctlResource(): Resource {
  return {
    kind: "sysctl",
    inspect: (keys) => keys.map((key) => readFileIfExists(pathOf(key))?.trim() ?? null),
    apply: ({ id, new: value }) => write(id, value!),
    remove({ id, prior }, now) {
      // An interface takes its settings with it.
      if (now === null || prior === null) return undefined;
      if (id === FORWARDING_KEY && prior === "0" && new Ledger().exists()) {
        return "containers of hpktainer need it; run --undo again when none is left ('hpktainer ps')";
      }
      write(id, prior);
      return undefined;
    },
  };
}

/**
 * What forwarding was before anything of ours: hpktainer, whose containers may run already, has it on
 * file.
 *
 * @param now What it is.
 */
export function forwardingBefore(now: string | null): string | null {
  return new Ledger().readHost()?.priorForwarding ?? now;
}

function write(key: string, value: string): void {
  try {
    Deno.writeTextFileSync(pathOf(key), value);
  } catch (error) {
    throw explain(`cannot set ${key.replaceAll("/", ".")} to ${value}`, error);
  }
}

function pathOf(key: string): string {
  return `/proc/sys/${key}`;
}
