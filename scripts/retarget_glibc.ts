/**
 * Makes 64-bit little-endian ELF files that require glibc 2.38 only because of `__isoc23_strtol`
 * and similar symbols run on an older glibc. Nothing is added or moved:
 *
 * - an undefined symbol `__isoc23_X` is pointed nine bytes further into the same string, so that it
 *   reads `X`, which every glibc has;
 * - the requirement of version GLIBC_2.38 is pointed at the file's baseline version, under which
 *   glibc has exported `X` since the architecture was introduced.
 *
 * Layouts: ELF-64 object file format; GNU symbol versioning (Verneed, Vernaux).
 */

const PREFIX = "__isoc23_";
const UNWANTED = "GLIBC_2.38";
/** The oldest version of glibc on x86-64, and on aarch64. */
const BASELINES = ["GLIBC_2.2.5", "GLIBC_2.17"];

const SECTION_DYNSYM = 11;
const SECTION_GNU_VERNEED = 0x6ffffffe;
const SYMBOL_SIZE = 24;

/** One entry of the section header table; offsets and sizes in bytes. */
interface Section {
  type: number;
  offset: number;
  size: number;
  /** Index of the section that holds this one's strings. */
  link: number;
  /** Number of entries, for GNU_VERNEED. */
  info: number;
}

/**
 * Retargets one file's bytes in place; returns the new names of the symbols.
 * @throws {Error} if the bytes are not such an ELF file, or it has no baseline version
 */
export function retarget(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new Error("not a 64-bit little-endian ELF file");
  }
  const sections = readSections(view);
  const symbols = sections.find(({ type }) => type === SECTION_DYNSYM);
  const needs = sections.find(({ type }) => type === SECTION_GNU_VERNEED);
  const strings = symbols && sections[symbols.link];
  if (!symbols || !needs || !strings) throw new Error("no dynamic symbols with versions");
  const nameAt = (offset: number): string => readString(bytes, strings.offset + offset);

  const renamed: string[] = [];
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += SYMBOL_SIZE) {
    const name = view.getUint32(at, true);
    const isUndefined = view.getUint16(at + 6, true) === 0;
    if (!isUndefined || !nameAt(name).startsWith(PREFIX)) continue;
    view.setUint32(at, name + PREFIX.length, true);
    renamed.push(nameAt(name + PREFIX.length));
  }
  retargetVersions(view, needs, nameAt);
  return renamed;
}

function readSections(view: DataView): Section[] {
  const table = Number(view.getBigUint64(0x28, true));
  const entrySize = view.getUint16(0x3a, true);
  return Array.from({ length: view.getUint16(0x3c, true) }, (_, index) => {
    const at = table + index * entrySize;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
    };
  });
}

/** Verneed: cnt at 2, aux at 8, next at 12. Vernaux: hash at 0, name at 8, next at 12. */
function retargetVersions(
  view: DataView,
  needs: Section,
  nameAt: (offset: number) => string,
): void {
  let need = needs.offset;
  for (let file = 0; file < needs.info; file++) {
    const versions = new Map<string, number>();
    let aux = need + view.getUint32(need + 8, true);
    for (let left = view.getUint16(need + 2, true); left > 0; left--) {
      versions.set(nameAt(view.getUint32(aux + 8, true)), aux);
      aux += view.getUint32(aux + 12, true);
    }
    const unwanted = versions.get(UNWANTED);
    if (unwanted !== undefined) {
      const baseline = BASELINES.map((name) => versions.get(name)).find((at) => at !== undefined);
      if (baseline === undefined) {
        throw new Error(`no ${BASELINES.join(" or ")} beside ${UNWANTED}`);
      }
      view.setUint32(unwanted, view.getUint32(baseline, true), true);
      view.setUint32(unwanted + 8, view.getUint32(baseline + 8, true), true);
    }
    need += view.getUint32(need + 12, true);
  }
}

function readString(bytes: Uint8Array, start: number): string {
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
}

if (import.meta.main) {
  for (const path of Deno.args) {
    const bytes = await Deno.readFile(path);
    const renamed = retarget(bytes);
    await Deno.writeFile(path, bytes);
    console.log(`${path}: ${renamed.join(" ") || "nothing to rename"}`);
  }
}
