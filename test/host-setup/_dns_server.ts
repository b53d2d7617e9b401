/** Answers every DNS query with NXDOMAIN, on UDP port 53 of every address; prints "ready". */
import { createSocket } from "node:dgram";

const RESPONSE_NXDOMAIN = [0x81, 0x83];

const socket = createSocket("udp4");
socket.on("message", (query: Uint8Array, from: { address: string; port: number }) => {
  const answer = Uint8Array.from(query);
  answer.set(RESPONSE_NXDOMAIN, 2);
  socket.send(answer, from.port, from.address);
});
socket.bind(53, () => console.log("ready"));
