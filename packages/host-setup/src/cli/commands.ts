/**
 * The table of host-setup's commands. How their words are read, `--help` and the reference are derived
 * from it.
 */

import { type Command, defineCommands } from "@hpk/core/commands";

const command = defineCommands<undefined>();

const JSON_OPTION = { name: "json", help: "print JSON of a stable shape" } as const;

/** The subcommands. */
const COMMANDS: readonly Command<undefined>[] = [
  command({
    name: "boot-overrides",
    summary: "write what keeps a booted container from changing the host's network",
    options: [
      { name: "dest", value: "DIRECTORY", required: true, help: "where to; made if need be" },
      {
        name: "allow",
        value: "UNIT",
        many: true,
        help: "do not mask a unit; repeatable",
      },
      JSON_OPTION,
    ],
    examples: [["For plain Apptainer", "host-setup boot-overrides --dest /etc/boot-overrides"]],
    load: async () => (await import("./boot_overrides_command.ts")).runBootOverrides,
  }),
  {
    name: "probe",
    hidden: true,
    summary: "what --verify runs in its namespaces",
    loadRaw: async () => (await import("./probe_command.ts")).runProbe,
  },
];

/** The program. */
export const HOST_SETUP: Command<undefined> = {
  ...command({
    name: "host-setup",
    summary: "make a host ready for containers, and take that back",
    details:
      "One of --plan, --apply, --check, --undo and --verify is given. --version prints the version.",
    options: [
      { name: "plan", help: "show what --apply would change, and why" },
      { name: "apply", help: "make the host ready" },
      {
        name: "check",
        help: "end with 0 where the host is ready, 2 where --apply would change it",
      },
      { name: "undo", help: "put back what was there before" },
      {
        name: "verify",
        help: "prove on the live host that containers and the outside reach each other",
      },
      { name: "target", value: "ADDRESS:PORT", help: "what --verify connects to" },
      JSON_OPTION,
      { name: "no-packages", help: "leave packages alone" },
      { name: "uplink", value: "INTERFACE", help: "interface to the outside" },
      { name: "subnet", value: "CIDR", help: "subnet of the network for Apptainer" },
      { name: "mtu", value: "BYTES", help: "MTU of that network" },
      { name: "offload", value: "WHICH", help: "turn checksum offload off: own, all or keep" },
      {
        name: "imds",
        value: "OPEN",
        help: "whether containers reach 169.254.169.254: closed or open",
      },
    ],
    examples: [
      ["Look first", "host-setup --plan"],
      ["In a cron job", "host-setup --check || host-setup --apply"],
      ["For containers with systemd", "host-setup boot-overrides --dest /etc/boot-overrides"],
    ],
    output:
      "{version} and SetupReport; with --undo UndoReport; with --verify {version, proofs: [Proof]}",
    load: async () => (await import("./setup_command.ts")).runSetup,
  }),
  commands: COMMANDS,
};
