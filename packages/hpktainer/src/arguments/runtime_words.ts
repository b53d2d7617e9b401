/** A program of this name is a command line of Docker's kind. */
const DOCKER_LIKE = "crungo";

/** Whether a program was called by the name of a command line of Docker's kind. */
export function isDockerLike(argv0: string): boolean {
  return argv0.replace(/^.*\//, "") === DOCKER_LIKE;
}

/**
 * Whether a command line may be for another runtime than Apptainer.
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
