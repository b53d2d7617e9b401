/**
 * The table of hpk-net-daemon's commands. How their words are read, `--help` and the reference are
 * derived from it.
 */

import { type Command, defineCommands } from "@hpk/core/commands";

const command = defineCommands<undefined>();

const DIRECTORY_OPTION = {
  name: "directory",
  value: "DIR",
  help: "where sockets and sessions are",
} as const;

/** The program. */
export const NET_DAEMON: Command<undefined> = {
  name: "hpk-net-daemon",
  summary: "relay Ethernet frames between TAP devices",
  details: `As the program that it replaces, it also relays one TAP over one socket:

  hpk-net-daemon -mode server|client -socket PATH -tap NAME [-create-tap] [-mtu N]
                 [-offload on|off] [-mac MAC [-ip ADDRESS]]
                 [-quiet] [-ready-fd N] [-exit-with PID]

-mac and -ip drop frames of the peer from other addresses. --version prints the version.`,
  commands: [
    command({
      name: "serve",
      summary: "serve the sessions of this host; hpktainer starts it when it needs it",
      options: [
        DIRECTORY_OPTION,
        {
          name: "idle-exit",
          value: "SECONDS",
          type: "number",
          help: "end after so long without a session",
        },
        {
          name: "ready-fd",
          value: "FD",
          type: "integer",
          help: "write 'ready' there when requests are answered",
        },
      ],
      examples: [["As a service", "hpk-net-daemon serve --directory /run/hpk-net-daemon"]],
      load: async () => (await import("./serve_command.ts")).runServe,
    }),
    command({
      name: "status",
      summary: "show the sessions, what they carried and what was dropped",
      options: [
        DIRECTORY_OPTION,
        { name: "json", help: "print JSON of a stable shape" },
        { name: "prometheus", help: "print metrics in Prometheus's text format" },
      ],
      examples: [["For a program", "hpk-net-daemon status --json"]],
      output: "RelayStatus",
      load: async () => (await import("./status_command.ts")).runStatus,
    }),
  ],
};
