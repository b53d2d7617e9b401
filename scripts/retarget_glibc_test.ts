import { assertEquals, assertThrows } from "@std/assert";
import { retarget } from "./retarget_glibc.ts";

/** Where the parts of the made-up file are, in bytes. */
const AT = { strings: 0x40, symbols: 0x100, needs: 0x180, sections: 0x200, end: 0x2c0 };
const STRINGS = "\0__isoc23_strtol\0libc.so.6\0GLIBC_2.38\0GLIBC_2.2.5\0__isoc23_own\0other\0";

const at = (text: string): number => STRINGS.indexOf(text);

/** A 64-bit ELF file with three symbols, the second of them defined, and two needed versions. */
function makeElf(versions = ["GLIBC_2.38", "GLIBC_2.2.5"]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(AT.end);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setBigUint64(0x28, BigInt(AT.sections), true);
  view.setUint16(0x3a, 64, true);
  view.setUint16(0x3c, 3, true);
  bytes.set(new TextEncoder().encode(STRINGS), AT.strings);

  for (const [index, name] of ["__isoc23_strtol", "__isoc23_own", "other"].entries()) {
    view.setUint32(AT.symbols + 24 * index, at(name), true);
    view.setUint16(AT.symbols + 24 * index + 6, index === 1 ? 5 : 0, true);
  }
  view.setUint16(AT.needs + 2, versions.length, true);
  view.setUint32(AT.needs + 8, 16, true);
  for (const [index, name] of versions.entries()) {
    const aux = AT.needs + 16 + 16 * index;
    view.setUint32(aux, 0x100 + index, true);
    view.setUint32(aux + 8, at(name), true);
    view.setUint32(aux + 12, index + 1 < versions.length ? 16 : 0, true);
  }
  const section = (index: number, type: number, offset: number, size: number, info: number) => {
    const header = AT.sections + 64 * index;
    view.setUint32(header + 4, type, true);
    view.setBigUint64(header + 24, BigInt(offset), true);
    view.setBigUint64(header + 32, BigInt(size), true);
    view.setUint32(header + 44, info, true);
  };
  section(0, 3, AT.strings, STRINGS.length, 0);
  section(1, 11, AT.symbols, 72, 0);
  section(2, 0x6ffffffe, AT.needs, 48, 1);
  return bytes;
}

Deno.test("retarget() renames undefined symbols and moves the version, nothing else", () => {
  const before = makeElf();
  const after = makeElf();
  assertEquals(retarget(after), ["strtol"]);
  const view = new DataView(after.buffer);
  assertEquals(view.getUint32(AT.symbols, true), at("strtol"));
  assertEquals(view.getUint32(AT.needs + 16, true), 0x101);
  assertEquals(view.getUint32(AT.needs + 24, true), at("GLIBC_2.2.5"));
  const changed = [...after.keys()].filter((index) => after[index] !== before[index]);
  assertEquals(changed, [AT.symbols, AT.needs + 16, AT.needs + 24]);
});

Deno.test("retarget() leaves a file alone that needs no new version", () => {
  const bytes = makeElf(["GLIBC_2.2.5"]);
  new DataView(bytes.buffer).setUint32(AT.symbols, at("other"), true);
  const before = bytes.slice();
  assertEquals(retarget(bytes), []);
  assertEquals(bytes, before);
});

Deno.test("retarget() rejects other files", () => {
  assertThrows(() => retarget(new Uint8Array(64)), Error, "not a 64-bit little-endian ELF file");
  assertThrows(() => retarget(makeElf(["GLIBC_2.38"])), Error, "no GLIBC_2.2.5 or GLIBC_2.17");
});
