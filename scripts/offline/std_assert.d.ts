/** Types of the part of `@std/assert` that this project uses; `deno-std` ships plain JavaScript. */

/** A class, abstract or not, as `assertThrows` and `assertInstanceOf` take it. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor = abstract new (...args: any[]) => any;

/** Any value that `<` and `>` order. */
export type Comparable = number | bigint | string | Date;

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** Passes when `expr` is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr;
/** Passes when both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
/** Passes when the values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
/** Passes when `Object.is` holds. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T;

/** Passes when the expression finds a match. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void;

/** Passes when `expected` is a part of `actual`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void;

/** Passes when `actual instanceof expectedType`. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T>;

/** Passes when `actual > expected`. */
export function assertGreater<T extends Comparable>(actual: T, expected: T, msg?: string): void;
/** Passes when `actual >= expected`. */
export function assertGreaterOrEqual<T extends Comparable>(
  actual: T,
  expected: T,
  msg?: string,
): void;
/** Passes when `actual < expected`. */
export function assertLess<T extends Comparable>(actual: T, expected: T, msg?: string): void;

/** Calls `fn`, which must throw; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Calls `fn`, which must throw an error of the class, with the text in its message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any
  errorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): E;
/** Calls `fn`, whose promise must reject; resolves to the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Calls `fn`, whose promise must reject with the class and the text in its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  errorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
