import { HpkError } from "@hpk/core";

/** Signal numbers by name without SIG (signal(7), x86 and ARM). */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
};

/** The first and the last real-time signal in glibc (signal(7)). */
const RTMIN = 34;
const RTMAX = 64;

/**
 * Reads a signal: `TERM`, `SIGTERM`, `15`, `SIGRTMIN+3`.
 *
 * @return Its number.
 * @throws {HpkError} When the signal does not exist.
 */
export function readSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  const number = /^[0-9]+$/.test(name) ? Number(name) : NUMBERS[name] ?? realTime(name);
  if (number !== undefined && number >= 1 && number <= RTMAX) return number;
  throw new HpkError({
    what: `cannot send '${text}'`,
    why: "there is no such signal",
    fix: "give a name such as TERM, or a number",
  });
}

function realTime(name: string): number | undefined {
  const match = /^(RTMIN|RTMAX)([+-][0-9]+)?$/.exec(name);
  if (match === null) return undefined;
  return (match[1] === "RTMIN" ? RTMIN : RTMAX) + Number(match[2] ?? 0);
}
