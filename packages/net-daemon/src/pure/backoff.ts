/** First and longest pause between attempts, in ms. */
const FIRST_MS = 50;
const LONGEST_MS = 5000;

/** The pause before an attempt: doubled each time, up to a maximum. @param attempt From 0. */
export function backoffMs(attempt: number): number {
  return Math.min(FIRST_MS * 2 ** Math.min(attempt, 16), LONGEST_MS);
}
