import { callOrThrow } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { PinnedBuffer } from "./io_vector.ts";
import { cString, libc } from "./libc.ts";

/**
 * ioctl(2) request for network interfaces (linux/sockios.h), and its commands (linux/ethtool.h).
 */
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_STXCSUM = 0x17;

/** struct ifreq: 40 bytes, the name in the first 16, then a union, here of a pointer (linux/if.h). */
const IFREQ_SIZE = 40;
const IFREQ_UNION = 16;

/** struct ethtool_value: a command and a value, 32 bits each. */
const VALUE_SIZE = 8;
const VALUE_DATA = 4;

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;

/**
 * Whether an interface of this network namespace offloads transmit checksums, which
 * `ethtool --show-features` reports as "tx-checksumming".
 *
 * @throws {SystemCallError} If there is no such interface.
 */
export function readTxChecksum(name: string): boolean {
  return exchange(name, ETHTOOL_GTXCSUM, 0) !== 0;
}

/**
 * Turns transmit checksum offload of an interface on or off.
 *
 * @throws {SystemCallError} If there is no such interface, or it does not allow the change.
 */
export function writeTxChecksum(name: string, enabled: boolean): void {
  exchange(name, ETHTOOL_STXCSUM, enabled ? 1 : 0);
}

function exchange(name: string, command: number, data: number): number {
  const value = new PinnedBuffer(VALUE_SIZE);
  const fields = new DataView(value.bytes.buffer);
  fields.setUint32(0, command, true);
  fields.setUint32(VALUE_DATA, data, true);
  const request = new Uint8Array(IFREQ_SIZE);
  request.set(cString(name).subarray(0, IFREQ_UNION - 1));
  new DataView(request.buffer).setBigUint64(IFREQ_UNION, BigInt(value.address), true);
  using socket = new FileDescriptor(
    callOrThrow("socket", () => libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
  );
  callOrThrow(
    `SIOCETHTOOL ${name}`,
    () => libc.ioctl(socket.fd, SIOCETHTOOL, request),
  );
  return fields.getUint32(VALUE_DATA, true);
}
