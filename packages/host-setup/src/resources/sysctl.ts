import { Ledger, readFileIfExists } from "@hpk/core/os";
import type { Resource } from "./resource.ts";
import { explain } from "./write_file.ts";

/** The only setting that hpktainer changes as well. */
export const FORWARDING_KEY = "net/ipv4/ip_forward";

/** Kernel settings; the id is a path below /proc/sys, the value a setting's text. */
export function sysctlResource(): Resource {
  return {
    kind: "sysctl",
    inspect: (keys) => keys.map((key) => readFileIfExists(pathOf(key))?.trim() ?? null),
    apply: ({ id, new: value }) => write(id, value!),
    remove({ id, prior }, now) {
      // An interface's settings disappear with it.
      if (now === null || prior === null) return undefined;
      if (id === FORWARDING_KEY && prior === "0" && new Ledger().exists()) {
        return "hpktainer's containers need it; run --undo again when they are gone ('hpktainer ps')";
      }
      write(id, prior);
      return undefined;
    },
  };
}

/**
 * The value of forwarding before anything of ours: hpktainer, whose containers may already be
 * running, has recorded it.
 *
 * @param now Its present value.
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
