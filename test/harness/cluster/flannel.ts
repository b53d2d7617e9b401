/** Paths of the real flanneld and etcd: in PATH, or in the cache of `scripts/setup`. */
import { findProgram, type Need } from "../mod.ts";

const CACHE = `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/hpktainer`;

/** flanneld; undefined if it is missing. */
export const FLANNELD: string | undefined = find("flanneld") ??
  find("flannel") ?? cached(/^flannel-/, "flannel");
/** etcd; undefined if it is missing. */
export const ETCD: string | undefined = find("etcd") ?? cached(/^etcd$/, "etcd");
/** etcd's client; undefined if it is missing. */
export const ETCDCTL: string | undefined = find("etcdctl") ?? cached(/^etcd$/, "etcdctl");

/** The needs of a network with the real flanneld. */
export const flanneldNeeds: readonly Need[] = [
  need("flanneld", FLANNELD),
  need("etcd", ETCD),
  need("etcdctl", ETCDCTL),
];

/** Whether the real flanneld can run. */
export const hasFlanneld: boolean = flanneldNeeds.every(({ ok }) => ok);

function need(name: string, path: string | undefined): Need {
  return {
    ok: path !== undefined,
    what: `${name} is missing (install Go, then run scripts/setup)`,
  };
}

function find(name: string): string | undefined {
  return findProgram(name);
}

function cached(directory: RegExp, name: string): string | undefined {
  try {
    const found = [...Deno.readDirSync(CACHE)].find((entry) => directory.test(entry.name));
    const path = found && `${CACHE}/${found.name}/${name}`;
    return path !== undefined && Deno.statSync(path).isFile ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
