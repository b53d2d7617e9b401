import { callOrThrow } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { cString, libc } from "./libc.ts";

/** open(2) flags (asm-generic/fcntl.h). */
const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** ioctl(2) requests and flags of TAP devices (linux/if_tun.h). */
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** Offload of TCP checksums and segmentation. UDP segmentation breaks VXLAN: left out. */
const TUN_F_CSUM_TSO4_TSO6 = 0x01 | 0x02 | 0x04;

/** struct ifreq: 40 bytes, the name in the first 16, then a union (linux/if.h). */
const IFREQ_SIZE = 40;
const IFREQ_UNION = 16;

/** Requests of netdevice(7). */
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;

const AF_INET = 2;
const SOCK_DGRAM = 2;

/**
 * Opens a TAP of this network namespace; creates it if it does not exist. Every frame read from it
 * or written to it begins with a virtio header of 10 bytes (linux/virtio_net.h). It does not block,
 * and programs do not inherit it.
 *
 * @throws {SystemCallError} If there is no /dev/net/tun, or another kind of interface has the name.
 */
export function openTap(name: string): FileDescriptor {
  const flags = O_RDWR | O_NONBLOCK | O_CLOEXEC;
  const tap = new FileDescriptor(
    callOrThrow("open /dev/net/tun", () => libc.open(cString("/dev/net/tun"), flags, 0)),
  );
  try {
    const request = interfaceRequest(name);
    request.setUint16(IFREQ_UNION, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, true);
    callOrThrow(`TUNSETIFF ${name}`, () => libc.ioctl(tap.fd, TUNSETIFF, bytesOf(request)));
  } catch (error) {
    tap.close();
    throw error;
  }
  return tap;
}

/** Sets whether a TAP stays when its last descriptor is closed. */
export function setTapPersistent(tap: FileDescriptor, persistent: boolean): void {
  callOrThrow(
    "TUNSETPERSIST",
    () => libc.ioctlValue(tap.fd, TUNSETPERSIST, persistent ? 1 : 0),
  );
}

/**
 * Sets whether the kernel may hand over TCP segments of up to 64 KiB whose checksums are not filled
 * in yet, or only complete frames.
 *
 * @return Whether the kernel supports it.
 */
export function setTapOffload(fd: number, enabled: boolean): boolean {
  return libc.ioctlValue(fd, TUNSETOFFLOAD, enabled ? TUN_F_CSUM_TSO4_TSO6 : 0) === 0;
}

/** MTU of an interface of this network namespace, in bytes. */
export function readMtu(name: string): number {
  const request = interfaceRequest(name);
  interfaceCall("SIOCGIFMTU", SIOCGIFMTU, name, request);
  return request.getInt32(IFREQ_UNION, true);
}

/** Sets the MTU of an interface of this network namespace, in bytes. */
export function writeMtu(name: string, mtu: number): void {
  const request = interfaceRequest(name);
  request.setInt32(IFREQ_UNION, mtu, true);
  interfaceCall("SIOCSIFMTU", SIOCSIFMTU, name, request);
}

function interfaceCall(
  call: string,
  number: number,
  name: string,
  request: DataView<ArrayBuffer>,
): void {
  using socket = new FileDescriptor(
    callOrThrow("socket", () => libc.socket(AF_INET, SOCK_DGRAM | O_CLOEXEC, 0)),
  );
  callOrThrow(`${call} ${name}`, () => libc.ioctl(socket.fd, number, bytesOf(request)));
}

function interfaceRequest(name: string): DataView<ArrayBuffer> {
  const request = new Uint8Array(IFREQ_SIZE);
  request.set(cString(name).subarray(0, IFREQ_UNION - 1));
  return new DataView(request.buffer);
}

function bytesOf(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer);
}
