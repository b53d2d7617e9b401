import { Command } from "@cliffy/command";
import { HpkError } from "@hpk/core";
import { getImage, type PullPolicy } from "../images/image.ts";
import { ImageStore } from "../images/image_store.ts";
import {
  inspectImages,
  listImages,
  pruneImages,
  type Removal,
  removeImages,
} from "../images/manage_images.ts";
import { FOREIGN_IMAGE_COMMANDS } from "../images/pure/foreign_commands.ts";
import { formatImages, viewOfImage } from "../images/pure/image_view.ts";
import { formatBytes } from "../shared/pure/units.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { print, printJson } from "./output.ts";

const JSON_OPTION = ["--json", "Print JSON of a stable shape."] as const;
const FORMAT_OPTION = ["--format <kind:string>", "Only 'json': the same as --json."] as const;

// The type of a command is what its options make of it: it is written nowhere else.
// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;

/** The commands on images, `hpktainer image …`. */
export function imageCommand(caller: Caller): AnyCommand {
  return new Command().description("Fetch, list and remove OCI images.")
    .command("pull", pullCommand(caller))
    .command("ls", listCommand(caller)).alias("list")
    .command("inspect", inspectCommand(caller))
    .command("rm", removeCommand(caller)).alias("remove")
    .command("prune", pruneCommand(caller));
}

/** @throws {HpkError} When a command is one that Docker has under `image` and we do not. */
export function refuseForeign([group, name]: readonly string[]): void {
  if (group !== "image" || name === undefined || !Object.hasOwn(FOREIGN_IMAGE_COMMANDS, name)) {
    return;
  }
  throw new HpkError({
    what: `cannot run 'hpktainer image ${name}'`,
    why: "hpktainer only keeps images to run them",
    fix: FOREIGN_IMAGE_COMMANDS[name]!,
  });
}

function pullCommand(caller: Caller): AnyCommand {
  return new Command().description("Fetch an image, and print its id.")
    .arguments("<image:string>")
    .option("--platform <platform:string>", "Such as linux/arm64; default: this host's.")
    .option("--policy <when:string>", "Fetch it: always, missing or never.", { default: "always" })
    .option("--authfile <file:string>", "File of credentials.")
    .option("-q, --quiet", "Tell nothing of the progress.")
    .option(...JSON_OPTION)
    .option(...FORMAT_OPTION)
    .example("From Docker Hub", "hpktainer image pull alpine")
    .example("From a file", "hpktainer image pull docker-archive:alpine.tar")
    .action(async ({ platform, policy, authfile, quiet, json, format }, name) => {
      const store = new ImageStore();
      const record = await getImage(caller, store, name, {
        pull: toPolicy(policy),
        platform,
        authFile: authfile,
        quiet: quiet ?? false,
      });
      if (wantsJson(json, format)) {
        printJson({ version: 1, image: viewOfImage(record, store.leases()) });
      } else print(`${record.id}\n`);
    });
}

/** The command that lists images, also `hpktainer images`. */
export function listCommand(caller: Caller): AnyCommand {
  return new Command().description("List images.")
    .option("-q, --quiet", "Ids only.")
    .option("--digests", "Show digests too.")
    .option("--no-trunc", "Show ids whole.")
    .option("-a, --all", "Has no effect: every image is listed.")
    .option(...JSON_OPTION)
    .option(...FORMAT_OPTION)
    .example("Names only", "hpktainer image ls --json | jq -r '.images[].reference'")
    .action(({ quiet, digests, trunc, json, format }) => {
      const images = listImages(caller);
      if (wantsJson(json, format)) printJson({ version: 1, images });
      else {
        const style = { digests: digests ?? false, whole: !trunc, quiet: quiet ?? false };
        print(formatImages(images, style, Date.now()));
      }
    });
}

function inspectCommand(caller: Caller): AnyCommand {
  return new Command().description("Show all about images, as JSON in Docker's shape.")
    .arguments("<image...:string>")
    .option(...FORMAT_OPTION)
    .example("Its environment", "hpktainer image inspect alpine | jq -r '.[].Config.Env[]'")
    .action(({ format }, ...names) => {
      wantsJson(undefined, format);
      printJson(inspectImages(caller, names));
    });
}

/** The command that removes images, also `hpktainer rmi`. */
export function removeCommand(caller: Caller): AnyCommand {
  return new Command().description("Remove images by name or id.")
    .arguments("<image...:string>")
    .option("-f, --force", "Forget an image that containers use, too.")
    .option(...JSON_OPTION)
    .example("By name", "hpktainer image rm alpine")
    .action(async ({ force, json }, ...names) => {
      tellRemoval(await removeImages(caller, names, force ?? false), json ?? false);
    });
}

function pruneCommand(caller: Caller): AnyCommand {
  return new Command().description("Remove what no image needs.")
    .option("-a, --all", "Remove every image that no container uses.")
    .option("-f, --force", "Do not ask.")
    .option(...JSON_OPTION)
    .example("All that can go", "hpktainer image prune --all --force")
    .action(async ({ all, force, json }) => {
      if (all && !force) confirmPrune();
      tellRemoval(await pruneImages(caller, all ?? false), json ?? false);
    });
}

function confirmPrune(): void {
  const isAsked = Deno.stdin.isTerminal();
  if (isAsked && confirm("Remove every image that no container uses?")) return;
  throw new HpkError({
    what: "cannot remove all unused images",
    why: isAsked ? "you did not say yes" : "there is no terminal to ask on",
    fix: "add --force",
  });
}

function tellRemoval(removal: Removal, json: boolean): void {
  if (json) return printJson({ version: 1, ...removal });
  print([
    ...removal.untagged.map((name) => `Untagged: ${name}\n`),
    ...removal.deleted.map((id) => `Deleted: ${id}\n`),
    `Freed: ${formatBytes(removal.freed)}\n`,
  ].join(""));
}

/** Whether JSON is asked for, by either option. */
function wantsJson(json: true | undefined, format: string | undefined): boolean {
  if (format === undefined || format === "json") return json === true || format === "json";
  throw new HpkError({
    what: `cannot format as '${format}'`,
    why: "there are no templates here",
    fix: "use --format json and a program such as jq",
  });
}

function toPolicy(text: string): PullPolicy {
  if (text === "always" || text === "missing" || text === "never") return text;
  throw new HpkError({
    what: `cannot use the policy '${text}'`,
    why: "it is none",
    fix: "write always, missing or never",
  });
}
