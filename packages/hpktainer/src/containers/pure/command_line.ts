import { HpkError } from "@hpk/core";

/** The parts of a container's command. */
export interface CommandParts {
  /** The user's; undefined if not given, empty to drop the image's. */
  readonly entrypoint: string | undefined;
  /** The user's arguments. */
  readonly args: readonly string[];
  readonly imageEntrypoint: readonly string[];
  readonly imageCommand: readonly string[];
}

/**
 * Builds a container's command as Docker does: the user's entrypoint drops the image's arguments,
 * and the user's arguments replace them.
 *
 * @throws {HpkError} When there is no command.
 */
export function commandOf(parts: CommandParts): string[] {
  const { entrypoint, args, imageEntrypoint, imageCommand } = parts;
  const first = entrypoint === undefined ? imageEntrypoint : entrypoint === "" ? [] : [entrypoint];
  const rest = args.length > 0 || entrypoint !== undefined ? args : imageCommand;
  const command = [...first, ...rest];
  if (command.length > 0) return command;
  throw new HpkError({
    what: "cannot start the container",
    why: "the image has no command, and none is given",
    fix: "give one after the image",
  });
}
