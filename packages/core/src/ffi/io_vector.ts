import { frameLibc } from "./libc.ts";

/** A struct iovec is 16 bytes: a pointer and a size_t (uio.h); as 32-bit words, four. */
const WORDS = 4;
const WORD_RANGE = 2 ** 32;

/**
 * Memory that the kernel may access by a stored address: it is outside the heap, so that it never
 * moves. The address is valid as long as this object is referenced.
 */
export class PinnedBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Address of the first byte: a user-space address has at most 56 bits, in practice 47. */
  readonly address: number;

  constructor(size: number) {
    // A small typed array without a buffer of its own would be on the heap and could move.
    this.bytes = new Uint8Array(new ArrayBuffer(size));
    this.address = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.bytes)));
  }
}

/** The array of struct iovec that readv(2) and writev(2) take. */
export class IoVector {
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** @param pieces Number of pieces. */
  constructor(pieces: number) {
    this.#words = new Uint32Array(pieces * WORDS);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** Sets a piece; both architectures that Deno compiles for on Linux are little-endian. */
  set(piece: number, address: number, length: number): void {
    const word = piece * WORDS;
    this.#words[word] = address % WORD_RANGE;
    this.#words[word + 1] = address / WORD_RANGE;
    this.#words[word + 2] = length;
  }

  /**
   * Reads from a descriptor into the first pieces.
   *
   * @return Bytes read, 0 at the end, -1 on an error.
   */
  read(fd: number, pieces: number): number {
    return frameLibc().readv(fd, this.#bytes, pieces);
  }

  /** Writes the first pieces to a descriptor. @return Bytes written, or -1 on an error. */
  write(fd: number, pieces: number): number {
    return frameLibc().writev(fd, this.#bytes, pieces);
  }
}
