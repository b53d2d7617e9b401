import { CommandError, listDirectory, readFileIfExists, runCommand } from "@hpk/core/os";
import { type ModuleFacts, moduleState } from "../pure/kernel_modules.ts";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** Value of a module that the kernel has, loaded or built in. */
const LOADED = "loaded";

/** The state of this kernel's modules. */
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
    // The kernel unloads the module bridge even while there are bridges, and removes all of them.
    remove: () => "it stays loaded until the next boot: other programs may use it by now",
  };
}
