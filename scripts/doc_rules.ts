/** The rules of the documentation: links lead somewhere, files that pages name exist. All pure. */

/** A page, or another file that a link can name. */
export interface Page {
  /** Path from the project's root. */
  readonly path: string;
  readonly text: string;
}

/** A place in a page that names something. */
interface Mention {
  readonly line: number;
  /** What is named, as written. */
  readonly target: string;
}

/** Links of all forms: inline and images, definitions, and HTML. */
const LINKS = [
  /!?\[(?:[^\]\\]|\\.)*\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g,
  /^ {0,3}\[[^\]]+\]:\s+(\S+)/g,
  /\b(?:href|src|srcset)="([^"]+)"/g,
];

/** Another place than this project: a scheme of its own (RFC 3986, section 3.1). */
const OUTSIDE = /^[a-z][a-z0-9+.-]*:/i;

/** A source file in running text, written as code. */
const SOURCE = /`([a-z][\w./-]*\.(?:ts|sh|def))`/g;

/** Where a page may take the name of a source file from, besides the project's root. */
const SOURCE_ROOTS = ["", "packages/hpktainer/src/", "packages/"];

/**
 * Checks that what pages name exists.
 *
 * @param pages All pages.
 * @param files Paths of all files and directories of the project, from its root.
 * @return What does not, one line each: where, what, and what to do.
 */
export function checkPages(pages: readonly Page[], files: readonly string[]): string[] {
  const known = new Set(files);
  const anchors = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]));
  return pages.flatMap((page) => [
    ...mentionsOf(page.text, LINKS).flatMap(({ line, target }) => {
      const problem = checkLink(page.path, target, known, anchors);
      return problem === undefined ? [] : [`${page.path}:${line}: ${target}: ${problem}`];
    }),
    ...mentionsOf(page.text, [SOURCE]).flatMap(({ line, target }) =>
      isSource(page.path, target, files)
        ? []
        : [`${page.path}:${line}: ${target}: no such source file: name the present one`]
    ),
  ]);
}

function checkLink(
  from: string,
  target: string,
  known: ReadonlySet<string>,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  if (OUTSIDE.test(target)) return undefined;
  const [file = "", anchor] = target.split("#", 2);
  const path = file === "" ? from : resolvePath(from, decodeURI(file));
  if (path === undefined) return "it is outside of the project: link to a file of the project";
  if (!known.has(path)) return "no such file: correct the link or write the page";
  if (anchor === undefined || !anchors.has(path)) return undefined;
  return anchors.get(path)!.has(anchor) ? undefined : "no such heading: correct the link";
}

/** A path that is relative to the directory of another; undefined where it leaves the project. */
function resolvePath(from: string, target: string): string | undefined {
  const parts = target.startsWith("/") ? [] : from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Whether a file of that name exists: in one of the roots or, without a directory, anywhere. */
function isSource(page: string, name: string, files: readonly string[]): boolean {
  const own = page.split("/").slice(0, 2).join("/");
  const roots = [...SOURCE_ROOTS, ...[`${own}/`, `${own}/src/`]];
  return roots.some((root) => files.includes(root + name)) ||
    files.some((file) => file.endsWith(`/${name}`));
}

function mentionsOf(text: string, patterns: readonly RegExp[]): Mention[] {
  return withoutCode(text).flatMap((content, index) =>
    patterns.flatMap((pattern) =>
      [...content.matchAll(pattern)].map(([, target]) => ({ line: index + 1, target: target! }))
    )
  );
}

/** The lines of a page, those of code blocks empty. */
function withoutCode(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const mark = /^ *(```+|~~~+)/.exec(line)?.[1];
    if (fence === undefined && mark === undefined) return line;
    if (fence === undefined) fence = mark;
    else if (mark !== undefined && mark.startsWith(fence)) fence = undefined;
    return "";
  });
}

/**
 * The anchors of a page's headings, as GitHub makes them: small letters, no punctuation, hyphens for
 * spaces, and a number for a heading that comes again.
 */
export function anchorsOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const line of withoutCode(text)) {
    const heading = /^#{1,6} +(.*?)(?: +#+)?$/.exec(line)?.[1];
    if (heading !== undefined) add(found, slugOf(heading));
    for (const [, name] of line.matchAll(/\b(?:id|name)="([^"]+)"/g)) found.add(name!);
  }
  return found;
}

function slugOf(heading: string): string {
  return heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
}

function add(anchors: Set<string>, slug: string): void {
  let anchor = slug;
  for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
  anchors.add(anchor);
}

/** Pages whose messages stand alone on the lines of code blocks without a language. */
const MESSAGES = /^```\n(.*)\n```$/gm;

/** Shorter pieces of a message between its variable parts say nothing. */
const LEAST_PIECE = 6;

/**
 * Messages that a page quotes and that no source has. Variable parts are written as an ellipsis; between
 * those, what failed, why and what to do are looked for one by one, as the source has them.
 *
 * @param text The page: each message is a code block of one line.
 * @param sources Text of the source files.
 * @return The pieces that no source has.
 */
export function unknownMessages(text: string, sources: readonly string[]): string[] {
  const all = sources.join("\n").replace(/["`] \+\n\s*["`]/g, "");
  return [...text.matchAll(MESSAGES)]
    .flatMap(([, message]) => message!.split(/…|: |; /))
    .map((piece) => piece.replace(/^[')]+|['(]+$/g, "").trim())
    .filter((piece) => piece.length >= LEAST_PIECE && !all.includes(piece));
}

/** Where commands stand: in blocks of shell commands, and as code in tables; in running text they are names. */
const SHELL_BLOCKS = /^```(?:sh|bash)\n([\s\S]*?)^```$/gm;
const CODE = /`([^`\n]+)`/g;

/** What ends a command within a line of the shell, and what may stand before one. */
const OPERATORS = /\s*(?:\\?\||&&|\|\||;|>|<\(|\)$)\s*/;
const PREFIX = /^(?:sudo |\.\/|dist\/)*/;

/**
 * Command lines of a program that a page shows.
 *
 * @param program Its name.
 * @return The words after the name, of each.
 */
export function commandsOf(text: string, program: string): string[][] {
  const lines = [
    ...[...text.matchAll(SHELL_BLOCKS)].flatMap(([, block]) => block!.split("\n")),
    ...withoutCode(text).filter((line) => line.startsWith("|")).flatMap((line) =>
      [...line.matchAll(CODE)].map(([, code]) => code!)
    ),
  ];
  return lines.flatMap((line) => line.replace(/(^|\s)#\s.*$/, "").split(OPERATORS))
    .map((command) => command.replace(PREFIX, "").trim())
    .filter((command) => command.startsWith(`${program} `) && !command.includes("…"))
    .map((command) => wordsOf(command).slice(1));
}

/** Words as a shell splits them, for quotes without anything special within. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)]
    .map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}
