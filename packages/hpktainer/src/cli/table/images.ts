import { PULL_POLICIES } from "../../images/pure/pull_policy.ts";
import type { Command } from "@hpk/core/commands";
import type { Caller } from "../../shared/pure/caller.ts";
import { command, FORMAT_OPTION, JSON_OPTION } from "./common.ts";

const IMAGES = { name: "IMAGE", many: true } as const;

/** `image ls`, also `images`. */
export const IMAGE_LS = command({
  name: "ls",
  aliases: ["list"],
  summary: "list images",
  options: [
    { name: "quiet", letter: "q", help: "ids only" },
    { name: "digests", help: "show digests too" },
    { name: "no-trunc", help: "do not shorten ids" },
    { name: "all", letter: "a", help: "no effect: every image is listed" },
    JSON_OPTION,
    FORMAT_OPTION,
  ],
  examples: [["Names only", "hpktainer image ls --json | jq -r '.images[].reference'"]],
  output: "{version, images: [ImageView]}",
  load: async () => (await import("../actions/images.ts")).list,
});

/** `image rm`, also `rmi`. */
export const IMAGE_RM = command({
  name: "rm",
  aliases: ["remove"],
  summary: "remove images by name or id",
  arguments: [IMAGES],
  options: [
    { name: "force", letter: "f", help: "forget an image even if containers use it" },
    JSON_OPTION,
  ],
  examples: [["By name", "hpktainer image rm alpine"]],
  output: "{version} and Removal",
  load: async () => (await import("../actions/images.ts")).remove,
});

/** The commands for images, `hpktainer image …`. */
export const IMAGE_COMMANDS: readonly Command<Caller>[] = [
  command({
    name: "pull",
    summary: "fetch an image, and print its id",
    arguments: [{ name: "IMAGE" }],
    options: [
      { name: "platform", value: "OS/ARCH", help: "such as linux/arm64; default: this host's" },
      {
        name: "policy",
        value: "WHEN",
        choices: PULL_POLICIES,
        fallback: "always",
        help: "when to fetch it",
      },
      { name: "authfile", value: "FILE", help: "credentials for the registry" },
      { name: "quiet", letter: "q", help: "do not report progress" },
      JSON_OPTION,
      FORMAT_OPTION,
    ],
    examples: [
      ["From Docker Hub", "hpktainer image pull alpine"],
      ["From a file", "hpktainer image pull docker-archive:alpine.tar"],
    ],
    output: "{version, image: ImageView}",
    load: async () => (await import("../actions/images.ts")).pull,
  }),
  IMAGE_LS,
  command({
    name: "inspect",
    summary: "show the details of images, as JSON in Docker's shape",
    arguments: [IMAGES],
    options: [FORMAT_OPTION],
    examples: [[
      "Its environment",
      "hpktainer image inspect alpine | jq -r '.[].Config.Env[]'",
    ]],
    load: async () => (await import("../actions/images.ts")).inspect,
  }),
  IMAGE_RM,
  command({
    name: "prune",
    summary: "remove unused data, and with --all unused images",
    options: [
      { name: "all", letter: "a", help: "remove every image that no container uses" },
      { name: "force", letter: "f", help: "do not ask" },
      JSON_OPTION,
    ],
    examples: [["All unused images", "hpktainer image prune --all --force"]],
    output: "{version} and Removal",
    load: async () => (await import("../actions/images.ts")).prune,
  }),
];
