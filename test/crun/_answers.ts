/**
 * A DNS server that has one address for every name, and a web server there.
 *
 *   deno run -A --unstable-net _answers.ts ADDRESS
 */
const [address = ""] = Deno.args;

/** The answer to a question for an A record (RFC 1035, section 4); to others, that there is none. */
function answer(question: Uint8Array): Uint8Array {
  let end = 12;
  while (question[end] !== 0) end += question[end]! + 1;
  end += 5;
  const isA = question[end - 3] === 1;
  const header = [question[0]!, question[1]!, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0];
  // A pointer to the name, type A, class IN, a minute to live, four bytes.
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)];
  return new Uint8Array([...header, ...question.subarray(12, end), ...(isA ? record : [])]);
}

const socket = Deno.listenDatagram({ transport: "udp", hostname: address, port: 53 });
Deno.serve({ hostname: address, port: 80, onListen: () => console.log("ready") }, (request) => {
  const origin = new URL(request.url);
  return new Response(`{ "origin": "${origin.hostname}${origin.pathname}" }\n`);
});
for await (const [question, from] of socket) await socket.send(answer(question), from);
