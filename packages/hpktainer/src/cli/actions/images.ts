import { HpkError } from "@hpk/core";
import { getImage } from "../../images/image.ts";
import type { PullPolicy } from "../../images/pure/pull_policy.ts";
import { ImageStore } from "../../images/image_store.ts";
import {
  inspectImages,
  listImages,
  pruneImages,
  type Removal,
  removeImages,
} from "../../images/manage_images.ts";
import { formatImages, viewOfImage } from "../../images/pure/image_view.ts";
import { formatBytes } from "../../shared/pure/units.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type FormatOption, type JsonOption, print, printJson, wantsJson } from "../output.ts";

/** Options of `hpktainer image pull`. */
export interface PullOptions extends JsonOption, FormatOption {
  readonly platform?: string;
  readonly policy: PullPolicy;
  readonly authfile?: string;
  readonly quiet?: true;
}

/** `hpktainer image pull IMAGE`. */
export async function pull(
  caller: Caller,
  { platform, policy, authfile, quiet, json, format }: PullOptions,
  name: string,
): Promise<void> {
  const isJson = wantsJson(json, format);
  const store = new ImageStore();
  const record = await getImage(caller, store, name, {
    pull: policy,
    platform,
    authFile: authfile,
    quiet: quiet ?? false,
  });
  if (isJson) printJson({ version: 1, image: viewOfImage(record, store.leases()) });
  else print(`${record.id}\n`);
}

/** Options of `hpktainer image ls`. */
export interface ListOptions extends JsonOption, FormatOption {
  readonly quiet?: true;
  readonly digests?: true;
  readonly trunc: boolean;
}

/** `hpktainer image ls`. */
export function list(
  caller: Caller,
  { quiet, digests, trunc, json, format }: ListOptions,
): void {
  const images = listImages(caller);
  if (wantsJson(json, format)) return printJson({ version: 1, images });
  const style = { digests: digests ?? false, whole: !trunc, quiet: quiet ?? false };
  print(formatImages(images, style, Date.now()));
}

/** `hpktainer image inspect IMAGE...`. */
export function inspect(caller: Caller, { format }: FormatOption, ...names: string[]): void {
  wantsJson(undefined, format);
  printJson(inspectImages(caller, names));
}

/** `hpktainer image rm IMAGE...`. */
export async function remove(
  caller: Caller,
  { force, json }: JsonOption & { readonly force?: true },
  ...names: string[]
): Promise<void> {
  showRemoval(await removeImages(caller, names, force ?? false), json ?? false);
}

/** `hpktainer image prune`. */
export async function prune(
  caller: Caller,
  { all, force, json }: JsonOption & { readonly all?: true; readonly force?: true },
): Promise<void> {
  if (all && !force) confirmPrune();
  showRemoval(await pruneImages(caller, all ?? false), json ?? false);
}

function confirmPrune(): void {
  const isAsked = Deno.stdin.isTerminal();
  if (isAsked && confirm("Remove every image that no container uses?")) return;
  throw new HpkError({
    what: "cannot remove all unused images",
    why: isAsked ? "you did not say yes" : "standard input is not a terminal",
    fix: "add --force",
  });
}

function showRemoval(removal: Removal, json: boolean): void {
  if (json) return printJson({ version: 1, ...removal });
  print([
    ...removal.untagged.map((name) => `Untagged: ${name}\n`),
    ...removal.deleted.map((id) => `Deleted: ${id}\n`),
    `Freed: ${formatBytes(removal.freed)}\n`,
  ].join(""));
}
