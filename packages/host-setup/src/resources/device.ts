import { HpkError } from "@hpk/core";
import { removeIfExists, runOrThrow } from "@hpk/core/os";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** Value of a device node of the right kind. */
const DEVICE = "character device";

/**
 * Numbers of /dev/net/tun, the one that we create: misc device 200 (linux/miscdevice.h,
 * Documentation/admin-guide/devices.txt).
 */
const TUN_NUMBERS = ["10", "200"];

/**
 * Device nodes. The kernel or udev creates them on most hosts; in a sandbox they may be missing.
 */
export function deviceResource(): Resource {
  return {
    kind: "device",
    inspect: (paths) => paths.map(describe),
    async apply({ id: path }) {
      const mknod = findTool("mknod");
      if (mknod === undefined) {
        throw new HpkError({
          what: `cannot make ${path}`,
          why: "mknod is not installed",
          fix: "install coreutils",
        });
      }
      await runOrThrow(mknod, ["-m", "0666", path, "c", ...TUN_NUMBERS]);
    },
    remove({ id: path }) {
      removeIfExists(path);
      return undefined;
    },
  };
}

function describe(path: string): string | null {
  try {
    return Deno.statSync(path).isCharDevice ? DEVICE : "something else";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
