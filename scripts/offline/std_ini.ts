/**
 * Offline stand-in for `@std/ini`.
 *
 * It parses by itself. `npm:ini` reads another dialect: it nests dotted section names, drops
 * `__proto__`, cuts values at `;`, makes arrays of `key[]` and accepts malformed sections, and most
 * of that cannot be undone afterwards.
 */

type Scalar = string | number | boolean | null;

const COMMENT = /^(#|;|\/\/)/;
const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ["null", null],
  ["true", true],
  ["false", false],
]);

/**
 * Parses INI text: `key=value` lines, then sections of them. `null`, `true`, `false` and numbers are
 * converted unless they are in double quotes; a repeated key or section replaces the earlier one.
 * @throws {SyntaxError} naming the line that is neither a comment, a section nor `key=value`
 */
export function parse<T extends object>(text: string): T {
  const root = {};
  let target: object = root;
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.trim();
    if (line === "" || COMMENT.test(line)) continue;
    if (line.startsWith("[")) {
      target = {};
      define(root, sectionName(line, index + 1), target);
      continue;
    }
    const [key, value] = keyAndValue(line, index + 1);
    define(target, key, toScalar(value));
  }
  return root as T;
}

function sectionName(line: string, number: number): string {
  if (!line.endsWith("]")) throw new SyntaxError(`Unexpected end of INI section at line ${number}`);
  const name = line.slice(1, -1);
  if (name.trim() === "") throw new SyntaxError(`Unexpected empty section name at line ${number}`);
  return name;
}

function keyAndValue(line: string, number: number): [string, string] {
  const at = line.indexOf("=");
  if (at < 0) throw new SyntaxError(`Unexpected token ${line[0]} in INI at line ${number}`);
  const key = line.slice(0, at).trim();
  if (key === "") throw new SyntaxError(`Unexpected empty key name at line ${number}`);
  return [key, line.slice(at + 1).trim()];
}

function toScalar(value: string): Scalar {
  const word = WORDS.get(value);
  if (word !== undefined) return word;
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) return value.slice(1, -1);
  return Number.isNaN(Number(value)) ? value : Number(value);
}

/** A plain property whatever its name is: assigning to `__proto__` would set the prototype. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
