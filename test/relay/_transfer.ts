import type { Background, PrivateHost } from "../harness/mod.ts";
import { GATEWAY, type Pod } from "./_daemon.ts";

/** Result of a slow transfer. */
export interface Transfer {
  /** Ends when everything has arrived or the connection failed. */
  readonly done: Promise<{ sent: string; received: string }>;
  /** Bytes that have arrived so far. */
  arrived(): number;
}

const PIECES = 150;
const PORT = 5000;

/**
 * Sends 15 MB from a container to the host over one TCP connection, for about four seconds: long
 * enough for something to happen meanwhile.
 *
 * @return The SHA-256 of what was sent and of what arrived, once it is over.
 */
export async function startTransfer(host: PrivateHost, pod: Pod): Promise<Transfer> {
  await host.sh("head -c 15000000 /dev/urandom > /run/sent; : > /run/received");
  const server = await host.spawn("sh", [
    "-c",
    `exec busybox nc -l -p ${PORT} > /run/received`,
  ]);
  await host.sh(`for i in $(seq 100); do
    grep -q ':${
    PORT.toString(16).padStart(4, "0").toUpperCase()
  } .* 0A ' /proc/net/tcp /proc/net/tcp6 && exit 0
    sleep 0.02
  done; exit 1`);
  const feed = `i=0; while [ $i -lt ${PIECES} ]; do
    dd if=/run/sent bs=100000 skip=$i count=1 2>/dev/null; sleep 0.02; i=$((i+1))
  done | busybox nc ${GATEWAY} ${PORT}`;
  const client = await host.spawn("ip", ["netns", "exec", pod.id, "sh", "-c", feed]);
  return {
    done: finish(host, server, client),
    arrived: () => Deno.statSync(`${host.root}/run/received`).size,
  };
}

async function finish(
  host: PrivateHost,
  server: Background,
  client: Background,
): Promise<{ sent: string; received: string }> {
  await using _server = server;
  await using _client = client;
  await server.wait({ timeoutMs: 60_000 });
  const { stdout } = await host.run("sha256sum", ["/run/sent", "/run/received"]);
  const [sent = "", received = ""] = stdout.split("\n").map((line) => line.split(" ")[0]!);
  return { sent, received };
}
