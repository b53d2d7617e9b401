/** What is at a path, without following a link there. */
export type Entry =
  | { readonly kind: "file"; readonly executable: boolean }
  | { readonly kind: "directory" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "other" };

/** Tells what is at a path of the container; undefined where nothing is. */
export type Look = (path: string) => Entry | undefined;

/** As many links as Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Follows a path within a root, links included: none leads out of it.
 *
 * @param path Absolute, as the container has it.
 * @return The path without links, and what is there; undefined where nothing is.
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
