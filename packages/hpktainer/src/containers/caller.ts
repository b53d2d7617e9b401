import { HpkError } from "@hpk/core";
import type { Caller } from "./pure/run_flags.ts";

/** What a command line is read with: this process's environment and files. */
export function caller(): Caller {
  return {
    environment: Deno.env.toObject(),
    readFile: (option, path) => {
      try {
        return Deno.readTextFileSync(path);
      } catch (error) {
        throw new HpkError({
          what: `cannot use ${option} ${path}`,
          why: error instanceof Deno.errors.NotFound
            ? "there is no such file"
            : "the file cannot be read",
          fix: "name another",
        }, { cause: error });
      }
    },
  };
}

/**
 * Checks that there is a terminal where one is asked for.
 *
 * @throws {HpkError} When there is none.
 */
export function checkTerminal(wanted: boolean): void {
  if (!wanted || Deno.stdin.isTerminal()) return;
  throw new HpkError({
    what: "cannot give the container a terminal",
    why: "standard input is none",
    fix: "leave -t out",
  });
}

/**
 * Checks that this is root.
 *
 * @throws {HpkError} When it is not.
 */
export function checkRoot(): void {
  const uid = Deno.uid();
  if (uid === 0) return;
  throw new HpkError({
    what: "cannot run a container by crun",
    why: `that takes root, and you are uid ${uid}`,
    fix: "run it with sudo",
  });
}
