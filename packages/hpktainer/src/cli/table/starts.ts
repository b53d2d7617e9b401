import type { Command } from "@hpk/core/commands";
import type { Option } from "@hpk/core/options";
import { BOOT_OPTIONS } from "../../arguments/boot_options.ts";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { IMAGE_COMMAND } from "./common.ts";

/** A command of Apptainer's that we add a network to. */
function start(
  name: string,
  verb: string,
  row: Pick<Command<Caller>, "summary" | "arguments" | "examples">,
  options: readonly Option[] = NETWORK_OPTIONS,
): Command<Caller> {
  return {
    name,
    ...row,
    options,
    details: `Options stand before the image. Every option of 'apptainer ${verb}' is taken too:
see 'apptainer ${verb} --help'. Of its network options, --net has no effect (the
container has a network of its own), and --network-args and --netns-path are refused.`,
  };
}

const INSTANCE_OPTIONS = [...NETWORK_OPTIONS, ...BOOT_OPTIONS];
const INSTANCE_ARGUMENTS = [{ name: "IMAGE" }, { name: "NAME" }, ...IMAGE_COMMAND.slice(1)];

/** Apptainer's commands that we add a network to. */
export const STARTS: readonly Command<Caller>[] = [
  start("run", "run", {
    summary: "run an image's own command in a container with its own IP address",
    arguments: IMAGE_COMMAND,
    examples: [
      ["On Flannel's network, or one that is chosen", "hpktainer run image.sif"],
      ["On a subnet of your own", "hpktainer run --subnet 10.97.0.0/24 image.sif"],
    ],
  }),
  start("exec", "exec", {
    summary: "run a command in such a container",
    arguments: [{ name: "IMAGE" }, { name: "COMMAND" }, ...IMAGE_COMMAND.slice(1)],
    examples: [
      ["A chosen address", "hpktainer exec --ip 10.213.96.7 image.sif ping -c 1 10.213.96.1"],
      ["The host's own network, without root", "hpktainer exec --network host image.sif hostname"],
    ],
  }),
  start("shell", "shell", {
    summary: "open a shell in such a container",
    arguments: [{ name: "IMAGE" }],
    examples: [["Another DNS server", "hpktainer shell --dns 192.0.2.53 image.sif"]],
  }),
  {
    name: "instance",
    summary: "start and stop services; a network exists until its service stops",
    commands: [
      start("start", "instance start", {
        summary: "start a service, or boot an image with --boot",
        arguments: INSTANCE_ARGUMENTS,
        examples: [
          ["A service", "hpktainer instance start --mtu 1400 image.sif web"],
          ["With systemd", "hpktainer instance start --boot --host-network systemd.sif web"],
        ],
      }, INSTANCE_OPTIONS),
      start("run", "instance run", {
        summary: "run an image's own command as a service",
        arguments: INSTANCE_ARGUMENTS,
        examples: [["A service", "hpktainer instance run image.sif web"]],
      }, INSTANCE_OPTIONS),
      { name: "stop", summary: "stop services, and release their networks" },
      { name: "list", summary: "list services, as Apptainer does" },
    ],
  },
];
