import {
  AUTOMATIC_NETWORK_PATH,
  formatAutomaticNetwork,
  parseAutomaticNetwork,
} from "../model/automatic_network.ts";
import type { Cidr } from "../model/ipv4.ts";
import { makeDirectory, writeFileAtomic } from "./files.ts";

/** Bytes that the file has at most; ours has some fifty. */
const LONGEST = 1024;

/** Permission of others than the owner to write (stat(2)). */
const OTHERS_WRITE = 0o022;

/**
 * The subnet that was chosen for containers last; undefined where none was, or where someone else than
 * root may have written it.
 */
export function readAutomaticNetwork(path = AUTOMATIC_NETWORK_PATH): Cidr | undefined {
  try {
    const { isFile, uid, mode, size } = Deno.lstatSync(path);
    const isOurs = isFile && uid === 0 && ((mode ?? OTHERS_WRITE) & OTHERS_WRITE) === 0;
    if (!isOurs || size > LONGEST) return undefined;
    return parseAutomaticNetwork(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Remembers the subnet that was chosen, so that the next choice is the same. */
export function rememberAutomaticNetwork(subnet: Cidr, path = AUTOMATIC_NETWORK_PATH): void {
  const directory = path.slice(0, path.lastIndexOf("/"));
  makeDirectory(directory, directory);
  writeFileAtomic(path, formatAutomaticNetwork(subnet));
}
