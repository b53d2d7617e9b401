/**
 * The line of hpktainer's configuration file that makes a missing Flannel an error. The rest of the file
 * is the administrator's.
 */

import { MARKER } from "./cni_network.ts";

/** The line that is wanted where Flannel is installed. */
export const FLANNEL_LINE = "network = flannel";

const SECTION = "[network]";

/** What a file without the section gets. */
const BLOCK = [`# ${MARKER}`, SECTION, FLANNEL_LINE];

/** The line that sets the network, in our spelling; null where none does. */
export function networkLine(text: string): string | null {
  const lines = text.split("\n");
  const line = lines[findLine(lines)];
  if (line === undefined) return null;
  const value = line.slice(line.indexOf("=") + 1).trim().replace(/^"(.*)"$/, "$1");
  return `network = ${value}`;
}

/** A file's text with our line, which it does not have yet. */
export function withFlannel(text: string): string {
  const lines = text.split("\n");
  const section = lines.findIndex((line) => line.trim() === SECTION);
  if (section >= 0) return lines.toSpliced(section + 1, 0, FLANNEL_LINE).join("\n");
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${text}${separator}${BLOCK.join("\n")}\n`;
}

/** A file's text without our line; undefined where nothing else is in the file. */
export function withoutFlannel(text: string): string | undefined {
  const lines = text.split("\n");
  const at = findLine(lines);
  if (at < 0) return text;
  const start = at - BLOCK.length + 1;
  const isBlock = BLOCK.every((line, index) => lines[start + index]?.trim() === line);
  // Whatever has been added below our heading needs it.
  const isAlone = lines.slice(at + 1).every((line) => line.trim() === "");
  const rest = isBlock && isAlone
    ? lines.toSpliced(start, BLOCK.length)
    : lines.toSpliced(at, 1).filter((line) => line.trim() !== BLOCK[0]);
  const left = rest.join("\n");
  return left.trim() === "" ? undefined : left;
}

/** Index of the line that sets the network; -1 where none does. Of several the last counts. */
function findLine(lines: readonly string[]): number {
  let section = "";
  return lines.map((line) => {
    const text = line.trim();
    if (text.startsWith("[")) section = text;
    return section === SECTION && /^network\s*=/.test(text);
  }).lastIndexOf(true);
}
