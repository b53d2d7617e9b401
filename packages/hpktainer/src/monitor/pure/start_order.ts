/** The monitor's socket for starts, in the ledger's directory, which only root can reach. */
export const ATTACH_SOCKET = "/run/hpktainer/attach.sock";

/** What a start attached by the monitor does next: become a program. */
export interface StartOrder {
  /** Absolute path of the program. */
  readonly path: string;
  /** Its arguments, its name first. */
  readonly argv: readonly string[];
  /** Variables to set first. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The monitor's answer: an order; null if the client must attach itself. */
export type StartAnswer = StartOrder | null;

/** Commands that start a container in the foreground. */
const SERVED = ["run", "exec", "shell"];

/** Whether to ask the monitor: yes in doubt, since the monitor checks precisely. */
export function mayBeServed(argv: readonly string[]): boolean {
  return argv.some((word) => SERVED.includes(word)) &&
    !argv.some((word) => word.startsWith("instance://"));
}
