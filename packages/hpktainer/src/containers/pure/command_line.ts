import { HpkError } from "@hpk/core";

/** What a container's command is made of. */
export interface CommandParts {
  /** The user's; undefined where none is given, empty for none. */
  readonly entrypoint: string | undefined;
  /** The user's arguments. */
  readonly args: readonly string[];
  readonly imageEntrypoint: readonly string[];
  readonly imageCommand: readonly string[];
}

/**
 * Puts a container's command together as Docker does: the user's entrypoint drops the image's
 * arguments, the user's arguments take their place.
 *
 * @throws {HpkError} When there is nothing to run.
 */
export function commandOf(parts: CommandParts): string[] {
  const { entrypoint, args, imageEntrypoint, imageCommand } = parts;
  const first = entrypoint === undefined ? imageEntrypoint : entrypoint === "" ? [] : [entrypoint];
  const rest = args.length > 0 || entrypoint !== undefined ? args : imageCommand;
  const command = [...first, ...rest];
  if (command.length > 0) return command;
  throw new HpkError({
    what: "cannot start the container",
    why: "the image names no command, and none is given",
    fix: "write one behind the image",
  });
}
