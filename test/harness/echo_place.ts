/** The server and the client of `_echo.ts`, in any place: a host, the Internet, a container. */
import { assertEquals } from "@std/assert";
import { type Background, type Place, PrefixedPlace, type PrivateHost } from "./mod.ts";
import { hpk } from "./hpktainer.ts";

const ECHO = ["run", "-A", "--unstable-net", new URL("./echo.ts", import.meta.url).pathname];

/** How long a client waits for an answer, in ms; most come within a tenth of a second. */
const ANSWER_MS = 15_000;

/** How long it waits if no answer is expected. */
const SILENCE_MS = 1_500;

/** The network of a container, as a place that runs programs of the host. */
export async function inContainer(host: PrivateHost, name: string): Promise<Place> {
  const { stdout } = await hpk(host, ["show", name, "--json"], { check: true });
  const { namespace } = JSON.parse(stdout).container;
  const prefix = () => [
    ...["nsenter", "-t", String(host.pid), "-m", "-n", "-p", "-u", "-i", "--"],
    ...["ip", "netns", "exec", namespace],
  ];
  return new PrefixedPlace(`container ${name}`, prefix, true);
}

/** Starts a server that answers over TCP and UDP with the client's address as it sees it. */
export async function serve(place: Place, address: string, port: number): Promise<Background> {
  const server = await place.spawn(Deno.execPath(), [...ECHO, "serve", address, String(port)]);
  await server.waitFor(/ready/, { timeoutMs: 20_000 });
  return server;
}

/** Asks such a server how it sees the client; undefined if no answer arrives. */
export async function ask(
  place: Place,
  transport: "tcp" | "udp",
  address: string,
  port: number,
  patienceMs: number = ANSWER_MS,
): Promise<string | undefined> {
  const words = [...ECHO, "ask", transport, address, String(port), String(patienceMs)];
  const { code, stdout } = await place.run(Deno.execPath(), words, { check: false });
  return code === 0 ? stdout.trim() : undefined;
}

/** Throws if such a server answers. */
export async function assertSilent(
  place: Place,
  transport: "tcp" | "udp",
  address: string,
  port: number,
): Promise<void> {
  const answer = await ask(place, transport, address, port, SILENCE_MS);
  assertEquals(answer, undefined, `${place.name} reaches ${address}:${port} by ${transport}`);
}
