import { readFileIfExists, removeIfExists } from "@hpk/core/os";
import { networkLine, withFlannel, withoutFlannel } from "../pure/flannel_setting.ts";
import type { Resource } from "./resource.ts";
import { temporaryOf, writeWhole } from "./write_file.ts";

/** hpktainer's configuration file; a value is the line that sets the network. */
export function settingResource(): Resource {
  return {
    kind: "setting",
    inspect: (paths) => paths.map((path) => networkLine(readFileIfExists(path) ?? "")),
    apply({ id: path }) {
      writeWhole(path, withFlannel(readFileIfExists(path) ?? ""), modeOf(path));
    },
    remove({ id: path }) {
      removeIfExists(temporaryOf(path));
      const text = readFileIfExists(path);
      if (text === undefined) return undefined;
      const rest = withoutFlannel(text);
      if (rest === undefined) removeIfExists(path);
      else writeWhole(path, rest, modeOf(path));
      return undefined;
    },
  };
}

/** Permissions of a file; undefined where there is none. */
function modeOf(path: string): number | undefined {
  try {
    return (Deno.statSync(path).mode ?? 0o644) & 0o7777;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
