import type { ContainerVerb } from "../../arguments/apptainer_options.ts";
import { BOOT_OPTIONS } from "../../arguments/boot_options.ts";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import { formatTable } from "../../shared/pure/text_table.ts";

const options = (withBoot = false): string =>
  formatTable(
    [...NETWORK_OPTIONS, ...(withBoot ? BOOT_OPTIONS : [])].map(({ name, value, description }) => [
      value === undefined ? `  --${name}` : `  --${name} ${value}`,
      description,
    ]),
  );

const commands: readonly (readonly string[])[] = [
  ["  run IMAGE [ARG...]", "run an image's own command in a container with its own IP address"],
  ["  exec IMAGE COMMAND [ARG...]", "run a command in such a container"],
  ["  shell IMAGE", "open a shell in such a container"],
  ["  instance start IMAGE NAME", "start a service; its network lives until it stops"],
  ["  instance run|stop|list", "as Apptainer's, with the network"],
  ["  ps [--json]", "list containers and their addresses"],
  ["  show NAME [--json]", "show all about one container"],
  ["  port ls|add|rm ...", "show and change published ports of containers that run"],
  ["  gc [--dry-run] [--json]", "take down what dead owners left"],
  ["  doctor [--json]", "check what a run needs, and say how to mend it"],
  ["  run --runtime crun IMAGE", "the same for an OCI image, with Docker's options"],
  ["  container ls|exec|logs|stop|…", "manage those, with Docker's commands"],
  ["  image pull|ls|inspect|rm|prune", "fetch, list and remove OCI images"],
  ["  images [OPTIONS]", "as image ls"],
  ["  rmi [OPTIONS] IMAGE...", "as image rm"],
  ["  completions bash|zsh|fish", "print a completion script"],
];

/** What `hpktainer --help` prints. */
export function mainHelp(version: string): string {
  return `hpktainer ${version}: gives any container an IP address of its own on the host's pod network

Usage: hpktainer [OPTIONS] COMMAND [ARG...]

Commands:
${formatTable(commands)}  any other                     is Apptainer's and reaches it untouched

Network options, before or after the command and before the image:
${options()}
Settings are read from /etc/hpktainer/config.ini, then HPK_* variables, then options;
'hpktainer doctor' shows each and where it came from.

Examples:
  hpktainer run --subnet 10.96.0.0/24 image.sif         a static network
  hpktainer exec image.sif ip address show eth0         on Flannel's subnet, if flanneld runs
  hpktainer instance start --name web image.sif web     a service
  hpktainer exec --network host image.sif hostname      the host's own network, without root

Exit status: the container's own; 125 when hpktainer itself fails.
`;
}

/** What `hpktainer run --help` and its like print. */
export function containerHelp(verb: ContainerVerb): string {
  const name = verb.startsWith("instance") ? " NAME" : "";
  const rest = verb === "exec" ? " COMMAND [ARG...]" : verb === "shell" ? "" : " [ARG...]";
  const example: Record<ContainerVerb, string> = {
    "run": "hpktainer run --subnet 10.96.0.0/24 image.sif",
    "exec": "hpktainer exec --ip 10.96.0.7 image.sif ping -c 1 10.96.0.1",
    "shell": "hpktainer shell --dns 192.0.2.53 image.sif",
    "instance start": "hpktainer instance start --mtu 1400 image.sif web\n" +
      "  hpktainer instance start --boot --host-network systemd.sif web",
    "instance run": "hpktainer instance run image.sif web",
  };
  return `Usage: hpktainer ${verb} [OPTIONS] IMAGE${name}${rest}

Network options:
${options(verb.startsWith("instance"))}
Every option of 'apptainer ${verb}' is taken too: see 'apptainer ${verb} --help'.
Of its network options, --net has no effect (the container has a network of its own), and
--network-args and --netns-path are refused.

Example:
  ${example[verb]}
`;
}
