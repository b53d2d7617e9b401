/**
 * Random input that is the same in every run, so that a failure can be reproduced: a linear
 * congruential generator modulo 2^32, of which the high bits are used (constants: Knuth, TAOCP 2,
 * section 3.3.4).
 */
export class RandomText {
  #state: number;

  /** @param seed Any integer. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `bound - 1`; `bound` is at most 2^32. */
  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * bound);
  }

  /** An element of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Up to `most` elements of a list, one after the other. */
  text(parts: readonly string[], most: number): string {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(parts)).join("");
  }
}
