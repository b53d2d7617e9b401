/**
 * The directory that `host-setup boot-overrides` writes, with which plain Apptainer boots a
 * container in the host's network without changing that network. It contains an empty file for each
 * masked unit, the list of binds, and a README.
 */

import { COMMON_SETTINGS, type Mask, NETWORK_SETTINGS, UNIT_DIRECTORY } from "@hpk/core";

/** First line of the README: it identifies the directory as ours. */
export const OVERRIDES_MARKER = "Made by 'host-setup boot-overrides'; it rewrites this directory.";

/** Name of the file with the binds, in one line, in the form of APPTAINER_BIND. */
const BINDS_FILE = "binds";

/** Name of the file that explains the directory. */
export const README_FILE = "README";

/** The files to write. */
export interface Overrides {
  /** Absolute path of the directory. */
  readonly directory: string;
  readonly masks: readonly Mask[];
  /** Units or groups that may run although they are masked by default, as the user named them. */
  readonly allowed: readonly string[];
  /** File contents by path below the directory; the README is the first. */
  readonly files: ReadonlyMap<string, string>;
  /** Value of APPTAINER_BIND. */
  readonly binds: string;
}

/** Where the masks are, below the directory. */
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
      ? "No unit that is masked by default may run"
      : `Allowed to run: ${allowed.join(", ")}`
  }.

${lines.join("\n")}`;
}

/** A command line that uses the directory. */
export function startCommand(directory: string): string {
  return `APPTAINER_BIND="$(cat ${directory}/${BINDS_FILE})" apptainer instance start --boot ` +
    "--ipc --writable-tmpfs --netns-path /proc/1/ns/net IMAGE NAME";
}

/** Describes the result as text. */
export function formatOverrides(overrides: Overrides, changed: readonly string[]): string {
  const { directory, masks, allowed } = overrides;
  const allowedText = allowed.length === 0 ? "" : `, allowed to run: ${allowed.join(", ")}`;
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

/** The object for `--json`. Its shape is stable: keys are only added. */
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
