/** Bytes read at a time. */
const CHUNK = 64 * 1024;

/** Reads complete lines of a file that may grow. */
export class LineReader {
  readonly #file: Pick<Deno.FsFile, "readSync">;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(CHUNK);
  #rest = "";

  constructor(file: Pick<Deno.FsFile, "readSync">) {
    this.#file = file;
  }

  /** The lines since the last call, without their line feeds. */
  read(): string[] {
    let text = this.#rest;
    for (;;) {
      const count = this.#file.readSync(this.#buffer);
      if (count === null || count === 0) break;
      text += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
    const lines = text.split("\n");
    this.#rest = lines.pop()!;
    return lines;
  }
}
