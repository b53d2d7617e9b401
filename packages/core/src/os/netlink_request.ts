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
 * Makes a request and reads the answers to it.
 *
 * @param what What it is, for the message of an error.
 * @throws {SystemCallError} When the kernel refuses it.
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
    // Copied, because answers are read when the next datagram has come.
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
