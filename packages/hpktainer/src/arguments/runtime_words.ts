/** The name under which the program has Docker's command line. */
const DOCKER_LIKE = "crungo";

/** Whether the program was called by that name. */
export function isDockerLike(argv0: string): boolean {
  return argv0.replace(/^.*\//, "") === DOCKER_LIKE;
}

/**
 * Whether a command line may be for a runtime other than Apptainer.
 *
 * @param argv The program's name and its arguments.
 * @param preferred HPK_RUNTIME; undefined or empty for Apptainer.
 */
export function asksForRuntime(
  [argv0 = "", ...words]: readonly string[],
  preferred: string | undefined,
): boolean {
  return isDockerLike(argv0) || !!preferred || words.some((word) => word.startsWith("--runtime"));
}
