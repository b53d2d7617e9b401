/** Ones' complement sum of 16-bit words (RFC 1071). */
export function sum16(view: DataView, start: number, end: number, initial: number): number {
  let sum = initial;
  for (let at = start; at < end; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
