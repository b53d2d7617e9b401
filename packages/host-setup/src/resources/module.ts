import { CommandError, listDirectory, readFileIfExists, runCommand } from "@hpk/core/os";
import { type ModuleFacts, moduleState } from "../pure/kernel_modules.ts";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** What a module's value is where the kernel has it, loaded or built in. */
export const LOADED = "loaded";

/** What this kernel has of modules. */
export function readModuleFacts(): ModuleFacts {
  const directory = `/lib/modules/${Deno.osRelease()}`;
  return {
    loaded: readFileIfExists("/proc/modules") ?? "",
    builtin: readFileIfExists(`${directory}/modules.builtin`),
    dependencies: readFileIfExists(`${directory}/modules.dep`),
    inKernel: listDirectory("/sys/module") ?? [],
  };
}

/** Kernel modules. */
export function moduleResource(facts: ModuleFacts): Resource {
  return {
    kind: "module",
    inspect: (names) =>
      names.map((name) => {
        const state = moduleState(name, facts);
        return state === "loaded" || state === "built in" ? LOADED : null;
      }),
    async apply({ id: name }) {
      const modprobe = findTool("modprobe") ?? "modprobe";
      const result = await runCommand(modprobe, ["--", name]);
      if (result.code !== 0) throw new CommandError([modprobe, name], result);
    },
    // The kernel lets the module bridge go while there are bridges, and takes them all with it.
    remove: () => "it stays loaded until the next boot: other programs may have come to use it",
  };
}
