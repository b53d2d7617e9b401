import { HpkError } from "@hpk/core";
import { runCommand } from "@hpk/core/os";
import {
  type Distribution,
  installCommand,
  type Need,
  packageOf,
  removeCommand,
} from "../pure/distribution.ts";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** Value of a package whose programs are all installed. */
const INSTALLED = "installed";

/** Timeout of an installation, in ms: mirrors may be slow. */
const INSTALL_TIMEOUT_MS = 900_000;

/**
 * Packages. Whether one is installed is decided by its programs, not by the package manager: this
 * is cheap, and programs that were installed by other means count as well.
 *
 * @param isThere Whether everything of a need is installed.
 */
export function packageResource(
  distribution: Distribution,
  needs: readonly Need[],
  isThere: (need: Need) => boolean,
  progress: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): Resource {
  const needsOf = (name: string) => needs.filter((need) => packageOf(need, distribution) === name);
  const install = async (names: readonly string[]): Promise<void> => {
    const [program, ...args] = installCommand(distribution.manager!, names);
    const environment = { DEBIAN_FRONTEND: "noninteractive" };
    const run = (argv: readonly string[]) =>
      runCommand(findTool(program!) ?? program!, argv, {
        environment,
        timeoutMs: INSTALL_TIMEOUT_MS,
      });
    let result = await progress(`installing ${names.join(", ")}`, () => run(args));
    if (result.code !== 0 && distribution.manager === "apt") {
      // A fresh host has no package lists, or old ones.
      await progress("fetching the package lists", () => run(["update"]));
      result = await progress(`installing ${names.join(", ")}`, () => run(args));
    }
    const missing = names.filter((name) => !needsOf(name).every(isThere));
    if (result.code === 0 && missing.length === 0) return;
    const lines = (result.stderr.trim() || result.stdout.trim()).split("\n");
    throw new HpkError({
      what: `cannot install ${names.join(", ")}`,
      why: result.code === 0
        ? `${missing.join(", ")} did not provide ${
          missing.flatMap(needsOf).flatMap((need) => need.programs).join(", ")
        }`
        : `${program} ended with ${result.code}: ${lines.at(-1)}`,
      fix: `install by hand ('${program} ${args.join(" ")}') and run host-setup with --no-packages`,
    });
  };
  return {
    kind: "package",
    inspect: (names) => names.map((name) => needsOf(name).every(isThere) ? INSTALLED : null),
    apply: ({ id }) => install([id]),
    applyAll: (changes) => install(changes.map(({ id }) => id)),
    remove: ({ id }) =>
      `it stays installed: other programs may use it by now ('${
        removeCommand(distribution.manager ?? "apt", [id])
      }' removes it)`,
  };
}
