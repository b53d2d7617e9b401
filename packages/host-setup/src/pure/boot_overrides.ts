/**
 * The directory that `host-setup boot-overrides` writes: what plain Apptainer needs to boot a container
 * in the host's network that leaves it alone. It holds an empty file for each unit that is masked, the
 * list of binds, and a README.
 */

import { COMMON_SETTINGS, type Mask, NETWORK_SETTINGS, UNIT_DIRECTORY } from "@hpk/core";

/** First line of the README: by it the directory is known as ours. */
export const OVERRIDES_MARKER =
  "Made by 'host-setup boot-overrides'; it writes this directory anew.";

/** Name of the file with the binds, in one line, as APPTAINER_BIND takes them. */
export const BINDS_FILE = "binds";

/** Name of the file that tells a person what this is. */
export const README_FILE = "README";

/** What is to be written. */
export interface Overrides {
  /** Absolute path of the directory. */
  readonly directory: string;
  readonly masks: readonly Mask[];
  /** Units or groups that run although they would be masked, as they were named. */
  readonly allowed: readonly string[];
  /** Texts by path below the directory; the README is the first. */
  readonly files: ReadonlyMap<string, string>;
  /** Value of APPTAINER_BIND. */
  readonly binds: string;
}

/** The directory of the masks, below the directory. */
export const MASKS_DIRECTORY = UNIT_DIRECTORY.slice(1);

/**
 * Plans the directory.
 *
 * @param directory Absolute path.
 */
export function planOverrides(
  directory: string,
  masks: readonly Mask[],
  allowed: readonly string[],
): Overrides {
  const isSettable = !masks.some(({ unit }) => unit === "systemd-sysctl.service");
  const settings = [...COMMON_SETTINGS, ...(isSettable ? [] : [NETWORK_SETTINGS])];
  const binds = [
    ...masks.map(({ unit }) =>
      `${directory}/${MASKS_DIRECTORY}/${unit}:${UNIT_DIRECTORY}/${unit}:ro`
    ),
    ...settings.map((path) => `${path}:${path}:ro`),
  ].join(",");
  const files = new Map([
    [README_FILE, readme(directory, masks, allowed)],
    ...masks.map(({ unit }): [string, string] => [`${MASKS_DIRECTORY}/${unit}`, ""]),
    [BINDS_FILE, `${binds}\n`],
  ]);
  return { directory, masks, allowed, files, binds };
}

function readme(directory: string, masks: readonly Mask[], allowed: readonly string[]): string {
  const groups = new Map<string, Mask[]>();
  for (const mask of masks) groups.set(mask.group, [...groups.get(mask.group) ?? [], mask]);
  const lines = [...groups].map(([group, members]) =>
    `${group}: ${members[0]!.reason}\n${members.map(({ unit }) => `  ${unit}\n`).join("")}`
  );
  return `${OVERRIDES_MARKER}

To boot IMAGE in the host's network, as root:

  ${startCommand(directory)}

If services fail there with "status=226/NAMESPACE", set "mount slave = no" in apptainer.conf: some
kernels want that for services with a mount namespace of their own.

hpktainer does the same, and compares the host before and after:

  hpktainer instance start --boot --host-network IMAGE NAME

An empty file is bound over each unit below, which masks it; everything else in the image stays as
it is. ${
    allowed.length === 0
      ? "Nothing that is masked by default is let run"
      : `Let run: ${allowed.join(", ")}`
  }.

${lines.join("\n")}`;
}

/** A command line that uses the directory. */
export function startCommand(directory: string): string {
  return `APPTAINER_BIND="$(cat ${directory}/${BINDS_FILE})" apptainer instance start --boot ` +
    "--ipc --writable-tmpfs --netns-path /proc/1/ns/net IMAGE NAME";
}

/** Tells a person what was done. */
export function formatOverrides(overrides: Overrides, changed: readonly string[]): string {
  const { directory, masks, allowed } = overrides;
  const allowedText = allowed.length === 0 ? "" : `, let run: ${allowed.join(", ")}`;
  const units = counted(masks.length, "unit");
  const what = changed.length === 0 ? "nothing" : counted(changed.length, "file");
  return `${directory}: ${units} masked${allowedText}; ${what} changed
to use it:
  ${startCommand(directory)}
`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What `--json` prints. The shape is stable: keys are only added. */
export function overridesToJson(overrides: Overrides, changed: readonly string[]): object {
  const { directory, masks, allowed, binds } = overrides;
  return {
    version: 1,
    directory,
    masks: masks.map((mask) => ({ ...mask, file: `${directory}/${MASKS_DIRECTORY}/${mask.unit}` })),
    allowed,
    binds,
    changed,
  };
}
