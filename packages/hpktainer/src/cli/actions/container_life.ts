import { errorLine, HpkError } from "@hpk/core";
import { attachToContainer, restartContainer } from "../../runtimes/restart.ts";
import {
  killContainer,
  pruneContainers,
  removeContainer,
  stopContainer,
  waitForContainer,
} from "../../runtimes/stop_and_remove.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { complain, print } from "../output.ts";

/** Exit status of a command on several containers of which some failed, as with Docker. */
const EXIT_SOME_FAILED = 1;

/** `hpktainer container attach CONTAINER`. */
export function attach(
  caller: Caller,
  { stdin, detachKeys }: { readonly stdin: boolean; readonly detachKeys?: string },
  name: string,
): Promise<number> {
  return attachToContainer(caller, name, stdin, detachKeys);
}

/** `hpktainer container start CONTAINER...`. */
export function start(
  caller: Caller,
  { attach, interactive }: { readonly attach?: true; readonly interactive?: true },
  ...names: string[]
): Promise<number> {
  if (!attach && !interactive) {
    return each(names, async (name) => {
      await restartContainer(caller, name, false, false);
    });
  }
  if (names.length > 1) {
    throw new HpkError({
      what: "cannot attach to several containers",
      why: "there is one standard input",
      fix: "name one",
    });
  }
  return restartContainer(caller, names[0]!, true, interactive ?? false);
}

/** `hpktainer container stop CONTAINER...`. */
export function stop(
  caller: Caller,
  { time, signal }: { readonly time?: number; readonly signal?: string },
  ...names: string[]
): Promise<number> {
  return each(names, (name) => stopContainer(caller, name, time, signal));
}

/** `hpktainer container restart CONTAINER...`. */
export function restart(
  caller: Caller,
  { time }: { readonly time?: number },
  ...names: string[]
): Promise<number> {
  return each(names, async (name) => {
    await stopContainer(caller, name, time);
    await restartContainer(caller, name, false, false);
  });
}

/** `hpktainer container kill CONTAINER...`. */
export function kill(
  caller: Caller,
  { signal }: { readonly signal: string },
  ...names: string[]
): Promise<number> {
  return each(names, (name) => killContainer(caller, name, signal));
}

/** `hpktainer container wait CONTAINER...`. */
export function wait(caller: Caller, _options: unknown, ...names: string[]): Promise<number> {
  return each(names, async (name) => String(await waitForContainer(caller, name)));
}

/** `hpktainer container rm CONTAINER...`. */
export function remove(
  caller: Caller,
  { force }: { readonly force?: true },
  ...names: string[]
): Promise<number> {
  return each(names, (name) => removeContainer(caller, name, force ?? false));
}

/** `hpktainer container prune`. */
export async function prune(caller: Caller): Promise<void> {
  print((await pruneContainers(caller)).map((id) => `${id}\n`).join(""));
}

/**
 * Acts on each container and prints its name or the result; after a failure it goes on with the
 * rest.
 */
async function each(
  names: readonly string[],
  act: (name: string) => Promise<string | void>,
): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      print(`${await act(name) ?? name}\n`);
    } catch (error) {
      complain(errorLine("hpktainer", error));
      status = EXIT_SOME_FAILED;
    }
  }
  return status;
}
