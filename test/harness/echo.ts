/**
 * A server that answers over TCP and UDP with the client's address as it sees it, and a client.
 *
 *   deno run -A --unstable-net _echo.ts serve ADDRESS PORT
 *   deno run -A --unstable-net _echo.ts ask tcp|udp ADDRESS PORT [SILENCE]
 *
 * Without an answer for SILENCE ms, the client ends with status 1.
 */
const [mode, ...args] = Deno.args;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function serve(hostname: string, port: number): Promise<void> {
  const tcp = Deno.listen({ hostname, port });
  const udp = Deno.listenDatagram({ transport: "udp", hostname, port });
  console.log("ready");
  const answerDatagrams = async () => {
    for await (const [, from] of udp) {
      await udp.send(encoder.encode((from as Deno.NetAddr).hostname), from);
    }
  };
  const answerConnections = async () => {
    for await (const connection of tcp) {
      await connection.write(encoder.encode((connection.remoteAddr as Deno.NetAddr).hostname));
      connection.close();
    }
  };
  await Promise.all([answerDatagrams(), answerConnections()]);
}

async function ask(transport: string, hostname: string, port: number): Promise<string> {
  const buffer = new Uint8Array(64);
  if (transport === "tcp") {
    using connection = await Deno.connect({ hostname, port });
    return decoder.decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  }
  const any = hostname.includes(":") ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname: any, port: 0 });
  // A datagram may be lost during neighbour discovery.
  const resend = setInterval(
    () => socket.send(encoder.encode("?"), { transport: "udp", hostname, port }),
    200,
  );
  const [answer] = await socket.receive();
  clearInterval(resend);
  socket.close();
  return decoder.decode(answer);
}

if (mode === "serve") await serve(args[0]!, Number(args[1]));
else {
  if (args[3] !== undefined) setTimeout(() => Deno.exit(1), Number(args[3]));
  console.log(await ask(args[0]!, args[1]!, Number(args[2])));
  Deno.exit(0);
}
