/** The parts of a message that a user can act on. */
export interface HpkErrorParts {
  /** What could not be done, without a full stop: "cannot use subnet 10.22.0.0/16". */
  readonly what: string;
  /** Why not: "it overlaps Apptainer's own 10.22.0.0/16". */
  readonly why: string;
  /** What to do about it: "choose another with --subnet". */
  readonly fix: string;
}

/**
 * Exit status of our own failures, the same as that of Docker and Podman (docker-run(1), "Exit
 * Status").
 */
export const EXIT_OWN_FAILURE = 125;

/**
 * An expected failure that can be explained in one line. Anything else that is thrown is a bug of
 * ours.
 */
export class HpkError extends Error {
  override readonly name = "HpkError";
  /** The message in parts, for programs. */
  readonly parts: HpkErrorParts;
  /** Exit status of the program that fails with it. */
  readonly exitStatus: number = EXIT_OWN_FAILURE;

  constructor(parts: HpkErrorParts, options?: ErrorOptions) {
    super(oneLine(`${parts.what}: ${parts.why}; ${parts.fix}`), options);
    this.parts = parts;
  }
}

/**
 * The line that is printed for anything thrown, prefixed with the program's name.
 *
 * @param program Name of the program, for example "hpktainer".
 * @param error The thrown value.
 * @param evidence The command whose output helps to explain a bug of ours.
 * @return One line without a line feed.
 */
export function errorLine(
  program: string,
  error: unknown,
  evidence: string = `${program} doctor --json`,
): string {
  if (error instanceof HpkError) return `${program}: ${error.message}`;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return oneLine(
    `${program}: unexpected failure: ${text}; please report it with the output of '${evidence}'`,
  );
}

/** What anything thrown says, without the name of its class. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Checks that someone is root.
 *
 * @param who Their user id, as `Deno.uid()` gives it.
 * @param what What takes root, as a message begins: "cannot use the store of images".
 * @param fix What to do about it.
 * @throws {HpkError} When they are not.
 */
export function requireRoot(
  who: { readonly uid: number | null },
  what: string,
  fix = "run it with sudo",
): void {
  if (who.uid === 0) return;
  throw new HpkError({ what, why: `that takes root, and you are uid ${who.uid}`, fix });
}

/** Folds line feeds and runs of white space, so that a quoted message of another tool stays on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
