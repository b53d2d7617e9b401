/** The socket at which the monitor attaches those who ask; in the ledger's directory, for root alone. */
export const ATTACH_SOCKET = "/run/hpktainer/attach.sock";

/** What a start that the monitor has attached does next: become a program. */
export interface StartOrder {
  /** Absolute path of the program. */
  readonly path: string;
  /** Its arguments, its name first. */
  readonly argv: readonly string[];
  /** Variables that are set before. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What the monitor answers: an order; null where whoever asks has to do it without the monitor. */
export type StartAnswer = StartOrder | null;

/** Commands that start a container in the foreground. */
const SERVED = ["run", "exec", "shell"];

/** Whether it is worth asking the monitor: in doubt it is, since the monitor looks closely. */
export function mayBeServed(argv: readonly string[]): boolean {
  return argv.some((word) => SERVED.includes(word)) &&
    !argv.some((word) => word.startsWith("instance://"));
}
