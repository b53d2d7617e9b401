import { HpkError } from "@hpk/core";
import type { SpecDevice } from "./pure/oci_spec.ts";

/** Directories and devices that the container has of its own. */
const NOT_GIVEN = ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/console", "/dev/fd"];

/** Permission bits of a mode. */
const PERMISSIONS = 0o7777;

/**
 * Reads values of --device, `SRC[:DST[:rwm]]`, and inspects the devices.
 *
 * @throws {HpkError} When one is malformed, or not a device.
 */
export function readDevices(texts: readonly string[]): SpecDevice[] {
  return texts.map((text) => {
    const [source = "", second, third] = text.split(":");
    const isAccess = second !== undefined && third === undefined && /^[rwm]+$/.test(second);
    const path = second === undefined || isAccess ? source : second;
    const access = (isAccess ? second : third) ?? "rwm";
    const device = deviceAt(source, path, access);
    if (device !== undefined && path.startsWith("/") && /^[rwm]{1,3}$/.test(access)) return device;
    throw new HpkError({
      what: `cannot use --device '${text}'`,
      why: device === undefined ? `${source} is not a device` : "it is malformed",
      fix: "write SOURCE, or SOURCE:TARGET:rwm",
    });
  });
}

/** Every device of the host, for a privileged container. */
export function allDevices(directory = "/dev"): SpecDevice[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    if (NOT_GIVEN.includes(path)) return [];
    return isDirectory ? allDevices(path) : deviceAt(path, path, "rwm") ?? [];
  });
}

function deviceAt(source: string, path: string, access: string): SpecDevice | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(source);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
  if (!info.isCharDevice && !info.isBlockDevice) return undefined;
  return {
    path,
    type: info.isCharDevice ? "c" : "b",
    ...numbersOf(BigInt(info.rdev ?? 0)),
    fileMode: (info.mode ?? 0) & PERMISSIONS,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
    access,
  };
}

/** Splits a device number (makedev(3), as in glibc). */
function numbersOf(device: bigint): { major: number; minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}
