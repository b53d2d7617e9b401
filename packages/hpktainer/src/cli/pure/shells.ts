/** Shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that has a completion script. */
export type Shell = typeof SHELLS[number];
