import { HpkError } from "@hpk/core";
import type { ReadOptionFile } from "./pure/environment.ts";
import { absolutePath, type Caller } from "../shared/pure/caller.ts";

/**
 * Makes the function that reads files named by options, from the option and the path as given.
 *
 * @throws {HpkError} From the returned function, when the file cannot be read.
 */
export function readOptionFile(caller: Caller): ReadOptionFile {
  return (option, path) => {
    try {
      return Deno.readTextFileSync(absolutePath(caller, path));
    } catch (error) {
      throw new HpkError({
        what: `cannot use ${option} ${path}`,
        why: error instanceof Deno.errors.NotFound
          ? "there is no such file"
          : "the file cannot be read",
        fix: "name another",
      }, { cause: error });
    }
  };
}
