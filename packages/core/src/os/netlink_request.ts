import { SystemCallError } from "../ffi/errno.ts";
import type { NetlinkSocket } from "../ffi/netlink_socket.ts";
import {
  decodeMessages,
  encodeMessage,
  endOf,
  type NetlinkMessage,
  type ReceivedMessage,
} from "../model/netlink.ts";

/**
 * Sends a request and reads its answers.
 *
 * @param what What the request does, for error messages.
 * @throws {SystemCallError} If the kernel refuses it.
 */
export function ask(
  socket: NetlinkSocket,
  message: NetlinkMessage,
  what = "ask the kernel",
): ReceivedMessage[] {
  const sequence = socket.nextSequence();
  socket.send(encodeMessage(message, sequence));
  const answers: ReceivedMessage[] = [];
  for (;;) {
    // Copied, because the next datagram overwrites the buffer.
    const messages = decodeMessages(socket.receive().slice());
    for (const answer of messages.filter((one) => one.sequence === sequence)) {
      const end = endOf(answer);
      if (end === undefined) answers.push(answer);
      else if (end.errno === 0) return answers;
      else {
        const said = end.text === undefined ? "" : ` (${end.text})`;
        throw new SystemCallError(what + said, end.errno);
      }
    }
  }
}
