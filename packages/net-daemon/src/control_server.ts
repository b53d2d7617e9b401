import {
  HpkError,
  parseRelayRequest,
  RELAY_LINE_MAX,
  type RelayAnswer,
  type RelayRequest,
  RelayRequestError,
} from "@hpk/core";

/** Carries out a request. */
export type Answerer = (request: RelayRequest) => Promise<RelayAnswer>;

/** Most connections at a time; further ones are refused. */
const MOST_CONNECTIONS = 64;

/** How long a connection may be idle, in ms. */
const SILENCE_MS = 30_000;

/**
 * Serves the control socket. Every client is trusted, since the socket's mode restricts it to root.
 */
export class ControlServer {
  readonly #listener: Deno.Listener<Deno.UnixConn>;
  readonly #answer: Answerer;
  readonly #connections = new Set<Deno.UnixConn>();

  /** @param path Path of the socket; it must not exist. */
  constructor(path: string, answer: Answerer) {
    this.#listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
    this.#answer = answer;
    this.#serve();
  }

  /** Number of connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Closes the socket and all connections. */
  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) tryClose(connection);
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      if (this.#connections.size >= MOST_CONNECTIONS) {
        tryClose(connection);
        continue;
      }
      this.#connections.add(connection);
      this.#converse(connection).catch(() => {}).finally(() => {
        this.#connections.delete(connection);
        tryClose(connection);
      });
    }
  }

  /** Serves one connection to its end. Its errors affect nothing else. */
  async #converse(connection: Deno.UnixConn): Promise<void> {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(16 * 1024);
    let text = "";
    for (;;) {
      const timer = setTimeout(() => tryClose(connection), SILENCE_MS);
      const length = await connection.read(chunk).finally(() => clearTimeout(timer));
      if (length === null) return;
      text += decoder.decode(chunk.subarray(0, length), { stream: true });
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
        const answer = await answerLine(text.slice(0, end), this.#answer);
        await writeLine(connection, answer);
        text = text.slice(end + 1);
        // Invalid input may have split a line in two: nothing after it can be trusted.
        if (!answer.ok && answer.error.startsWith(MALFORMED)) return;
      }
      if (text.length > RELAY_LINE_MAX) {
        await writeLine(
          connection,
          failed(`${MALFORMED}: a line has at most ${RELAY_LINE_MAX} bytes`),
        );
        return;
      }
    }
  }
}

const MALFORMED = "malformed request";

/**
 * Answers one line.
 *
 * @param line Without its line feed.
 */
export async function answerLine(line: string, answer: Answerer): Promise<RelayAnswer> {
  try {
    return await answer(parseRelayRequest(line));
  } catch (error) {
    if (error instanceof RelayRequestError) return failed(`${MALFORMED}: ${error.message}`);
    if (error instanceof HpkError) return failed(error.message);
    return failed(`unexpected failure: ${error}`);
  }
}

function failed(error: string): RelayAnswer {
  return { version: 1, ok: false, error };
}

async function writeLine(connection: Deno.UnixConn, answer: RelayAnswer): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function tryClose(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // It is already closed.
  }
}
