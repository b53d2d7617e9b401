/** Writes a line to standard error, with the program's name. */
export function log(text: string): void {
  console.error(`hpk-net-daemon: ${text}`);
}
