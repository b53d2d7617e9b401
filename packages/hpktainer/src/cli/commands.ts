/**
 * The table of commands. Argument parsing, `--help`, completion, `crungo` and the reference are
 * derived from it: a new command is a row here and its action. Actions are loaded when they are
 * needed, so that the others do not slow down a start.
 */

import type { Command } from "@hpk/core/commands";
import { FOREIGN_IMAGE_COMMANDS } from "../images/pure/foreign_commands.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { SHELLS } from "./pure/shells.ts";
import { command, CONTAINER, JSON_OPTION } from "./table/common.ts";
import { CONTAINER_COMMANDS } from "./table/containers.ts";
import { IMAGE_COMMANDS, IMAGE_LS, IMAGE_RM } from "./table/images.ts";

export { STARTS } from "./table/starts.ts";

const NAME = { ...CONTAINER, name: "NAME" } as const;

/** Our own commands. */
export const OWN_COMMANDS: readonly Command<Caller>[] = [
  command({
    name: "ps",
    summary: "list containers and their addresses",
    options: [JSON_OPTION],
    examples: [["Addresses only", "hpktainer ps --json | jq -r '.containers[].address'"]],
    output: "{version, containers: [ContainerView]}",
    load: async () => (await import("./actions/show.ts")).list,
  }),
  command({
    name: "show",
    summary: "show the details of a container",
    arguments: [NAME],
    options: [JSON_OPTION],
    examples: [["By name", "hpktainer show web"]],
    output: "{version, container: ContainerView}",
    load: async () => (await import("./actions/show.ts")).show,
  }),
  {
    name: "port",
    summary: "show and change the published ports of running containers",
    commands: [
      command({
        name: "ls",
        summary: "list published ports",
        arguments: [{ ...NAME, optional: true }],
        options: [JSON_OPTION],
        examples: [["Of all containers", "hpktainer port ls"]],
        output: "{version, ports: [PortView]}",
        load: async () => (await import("./actions/ports.ts")).list,
      }),
      command({
        name: "add",
        summary: "publish more ports of a running container",
        arguments: [NAME, { name: "PORTS", many: true }],
        options: [JSON_OPTION],
        examples: [[
          "Host port 8080, and any free one",
          "hpktainer port add web 8080:80 0:443",
        ]],
        output: "{version, ports: [PortView]}",
        load: async () => (await import("./actions/ports.ts")).add,
      }),
      command({
        name: "rm",
        summary: "unpublish ports of a running container",
        arguments: [NAME, { name: "PORTS", many: true }],
        options: [JSON_OPTION],
        examples: [["By host port", "hpktainer port rm web 8080 127.0.0.1:53/udp"]],
        output: "{version, ports: [PortView]}",
        load: async () => (await import("./actions/ports.ts")).remove,
      }),
    ],
  },
  command({
    name: "gc",
    summary: "clean up after containers that have died, and repair the rest",
    options: [
      { name: "dry-run", help: "only report what would be cleaned up" },
      JSON_OPTION,
    ],
    examples: [["Preview", "hpktainer gc --dry-run"]],
    output: "GarbageReport",
    load: async () => (await import("./actions/gc.ts")).collect,
  }),
  command({
    name: "events",
    summary: "show the events of containers, oldest first",
    options: [
      { name: "follow", help: "keep printing new events" },
      {
        name: "since",
        value: "TIME",
        help: "only events since a time, or since a duration ago such as 10m",
      },
      { name: "json", help: "print each as a line of JSON of a stable shape" },
    ],
    examples: [["From now on", "hpktainer events --follow --since 0s"]],
    output: "HpkEvent",
    load: async () => (await import("./actions/events.ts")).events,
  }),
  command({
    name: "doctor",
    summary: "check the prerequisites, and print a fix for each that is not met",
    options: [JSON_OPTION],
    examples: [[
      "What fails",
      "hpktainer doctor --json | jq '.checks[] | select(.status == \"fail\")'",
    ]],
    output: "DoctorReport",
    load: async () => (await import("./actions/doctor.ts")).examine,
  }),
  {
    name: "container",
    summary: "run and manage containers of OCI images, as Docker does",
    examples: [["A shell", "hpktainer container run -it alpine sh"]],
    commands: CONTAINER_COMMANDS,
  },
  {
    name: "image",
    summary: "fetch, list and remove OCI images",
    elsewhere: {
      why: "hpktainer only stores images to run them",
      fixes: FOREIGN_IMAGE_COMMANDS,
    },
    commands: IMAGE_COMMANDS,
  },
  { ...IMAGE_LS, name: "images", aliases: [], summary: "the same as 'image ls'" },
  { ...IMAGE_RM, name: "rmi", aliases: [], summary: "the same as 'image rm'" },
  command({
    name: "completions",
    summary: "print a shell's completion script",
    arguments: [{ name: "SHELL", choices: SHELLS }],
    examples: [["For this shell", "source <(hpktainer completions bash)"]],
    load: async () => (await import("./actions/completions.ts")).script,
  }),
  {
    name: "complete",
    hidden: true,
    summary: "print completion candidates; for completion scripts",
    loadRaw: async () => {
      const { candidates } = await import("./actions/completions.ts");
      return (caller, words) => candidates(caller, words, OWN_COMMANDS);
    },
  },
  {
    name: "monitor",
    hidden: true,
    summary: "watch over containers; started by hpktainer itself",
    loadRaw: async () => (await import("./actions/monitor.ts")).watch,
  },
];

/** Names of our own commands. */
export const OWN_NAMES: readonly string[] = OWN_COMMANDS.map(({ name }) => name);

/** Names and aliases of the container commands, which `crungo` has without `container`. */
export const CONTAINER_NAMES: readonly string[] = CONTAINER_COMMANDS
  .flatMap(({ name, aliases = [] }) => [name, ...aliases]);
