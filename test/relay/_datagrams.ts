/**
 * Sends numbered datagrams, or reports which arrive.
 *
 *   deno run -A --unstable-net _datagrams.ts receive ADDRESS PORT COUNT
 *   deno run -A --unstable-net _datagrams.ts send ADDRESS PORT COUNT SIZE LAST_SIZE
 *
 * The receiver prints "ready", then one line for each datagram: its number, its size, and whether
 * every byte is right.
 */
const [mode, hostname = "", ...rest] = Deno.args;
const [port = 0, count = 0, size = 0, lastSize = 0] = rest.map(Number);

/** A datagram: its number in four bytes, then bytes derived from it. */
function datagram(number: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).map((_, index) => number + index);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

if (mode === "receive") {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  console.log("ready");
  for (let received = 0; received < count; received++) {
    const [bytes] = await socket.receive(new Uint8Array(65536));
    const number = new DataView(bytes.buffer).getUint32(bytes.byteOffset);
    const wanted = datagram(number, bytes.length);
    const isRight = bytes.every((value, index) => value === wanted[index]);
    console.log(number, bytes.length, isRight);
  }
} else {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  for (let number = 0; number < count; number++) {
    const length = number === count - 1 ? lastSize : size;
    await socket.send(datagram(number, length), { transport: "udp", hostname, port });
  }
}
