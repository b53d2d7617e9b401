/** What is at a path, without following a link there. */
export type Entry =
  | { readonly kind: "file"; readonly executable: boolean }
  | { readonly kind: "directory" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "other" };

/** Looks up a path in the container; undefined if nothing is there. */
export type Look = (path: string) => Entry | undefined;

/** Maximum number of links that Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Resolves a path with its links within a root, which no link can leave.
 *
 * @param path Absolute path in the container.
 * @return The path without links, and its entry; undefined if nothing is there.
 */
export function resolveInRoot(
  look: Look,
  path: string,
): { readonly path: string; readonly entry: Entry } | undefined {
  let rest = path.split("/").filter((part) => part !== "" && part !== ".");
  let at: string[] = [];
  let links = 0;
  let entry: Entry = { kind: "directory" };
  while (rest.length > 0) {
    const [part, ...more] = rest as [string, ...string[]];
    rest = more;
    if (part === "..") {
      at = at.slice(0, -1);
      entry = { kind: "directory" };
      continue;
    }
    const found = look(`/${[...at, part].join("/")}`);
    if (found === undefined) return undefined;
    if (found.kind === "link") {
      if (++links > MOST_LINKS) return undefined;
      if (found.target.startsWith("/")) at = [];
      rest = [...found.target.split("/").filter((word) => word !== "" && word !== "."), ...rest];
      entry = { kind: "directory" };
      continue;
    }
    if (found.kind !== "directory" && rest.length > 0) return undefined;
    at = [...at, part];
    entry = found;
  }
  return { path: `/${at.join("/")}`, entry };
}
