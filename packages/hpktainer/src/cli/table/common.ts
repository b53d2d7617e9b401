import { defineCommands } from "@hpk/core/commands";
import type { Caller } from "../../shared/pure/caller.ts";

/** Makes a row whose action is checked against its options. */
export const command = defineCommands<Caller>();

/** The option of commands that can print JSON. */
export const JSON_OPTION = { name: "json", help: "print JSON of a stable shape" } as const;

/** The same in Docker's form. */
export const FORMAT_OPTION = {
  name: "format",
  value: "KIND",
  help: "only 'json': the same as --json",
} as const;

/** A container by its name or id. */
export const CONTAINER = { name: "CONTAINER", completes: "containers" } as const;

/** Containers by their names or ids. */
export const CONTAINERS = { ...CONTAINER, many: true } as const;

/** An image and the arguments for its own command. */
export const IMAGE_COMMAND = [{ name: "IMAGE" }, {
  name: "ARG",
  many: true,
  optional: true,
}] as const;
