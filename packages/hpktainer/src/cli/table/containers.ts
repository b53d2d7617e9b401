import type { Command } from "@hpk/core/commands";
import { CREATE, EXEC, RUN } from "../../containers/pure/run_rows.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { command, CONTAINER, CONTAINERS, FORMAT_OPTION, JSON_OPTION } from "./common.ts";

const TIME_OPTION = {
  name: "time",
  letter: "t",
  value: "SECONDS",
  type: "integer",
  help: "time before SIGKILL; default: the container's, or 10",
} as const;

/** The commands for containers of OCI images, `hpktainer container …`. */
export const CONTAINER_COMMANDS: readonly Command<Caller>[] = [
  {
    ...RUN,
    options: async () => (await import("../../containers/pure/run_flags.ts")).ALL_RUN_FLAGS,
    loadRaw: async () => (await import("../actions/container_run.ts")).run,
  },
  {
    ...CREATE,
    options: async () => (await import("../../containers/pure/run_flags.ts")).ALL_RUN_FLAGS,
    loadRaw: async () => (await import("../actions/container_run.ts")).create,
  },
  {
    ...EXEC,
    options: async () => (await import("../../containers/pure/exec_flags.ts")).EXEC_FLAGS,
    loadRaw: async () => (await import("../actions/container_run.ts")).exec,
  },
  command({
    name: "ls",
    aliases: ["ps", "list"],
    summary: "list containers",
    options: [
      { name: "all", letter: "a", help: "include containers that do not run" },
      { name: "quiet", letter: "q", help: "ids only" },
      {
        name: "last",
        letter: "n",
        value: "COUNT",
        type: "integer",
        help: "the newest NUMBER, running or not",
      },
      {
        name: "filter",
        letter: "f",
        value: "FILTER",
        many: true,
        help: "name=, status=, label= or id=; repeatable",
      },
      { name: "no-trunc", help: "do not shorten commands" },
      JSON_OPTION,
      FORMAT_OPTION,
    ],
    examples: [["All, for a program", "hpktainer container ls -a --json"]],
    output: "{version, containers: [ListedContainer]}",
    load: async () => (await import("../actions/container_list.ts")).list,
  }),
  command({
    name: "inspect",
    summary: "show the details of containers, as JSON in Docker's shape",
    arguments: [CONTAINERS],
    options: [FORMAT_OPTION],
    examples: [[
      "Its address",
      "hpktainer container inspect web | jq -r '.[].NetworkSettings.IPAddress'",
    ]],
    load: async () => (await import("../actions/container_list.ts")).inspect,
  }),
  command({
    name: "logs",
    summary: "show the output of a container",
    arguments: [CONTAINER],
    options: [
      { name: "follow", letter: "f", help: "keep printing until it ends" },
      { name: "tail", letter: "n", value: "LINES", fallback: "all", help: "the last lines" },
      { name: "timestamps", letter: "t", help: "show the time of each line" },
      {
        name: "since",
        value: "TIME",
        help: "only output since a time (RFC 3339), or an age such as 10m",
      },
      { name: "until", value: "TIME", help: "only output until then" },
    ],
    examples: [["Follow", "hpktainer container logs -f --tail 10 web"]],
    load: async () => (await import("../actions/container_logs.ts")).logs,
  }),
  command({
    name: "attach",
    summary: "attach to a container that runs in the background",
    arguments: [CONTAINER],
    options: [
      { name: "no-stdin", help: "do not forward standard input" },
      { name: "detach-keys", value: "KEYS", help: "keys that detach; default: ctrl-p,ctrl-q" },
    ],
    examples: [["By name", "hpktainer container attach shell"]],
    load: async () => (await import("../actions/container_life.ts")).attach,
  }),
  command({
    name: "start",
    summary: "start containers that were created or have ended",
    arguments: [CONTAINERS],
    options: [
      { name: "attach", letter: "a", help: "wait for it, and show its output" },
      { name: "interactive", letter: "i", help: "forward standard input, too" },
    ],
    examples: [["In the foreground", "hpktainer container start -ai shell"]],
    load: async () => (await import("../actions/container_life.ts")).start,
  }),
  command({
    name: "stop",
    summary: "stop containers, by their stop signal, then by SIGKILL",
    arguments: [CONTAINERS],
    options: [
      TIME_OPTION,
      {
        name: "signal",
        letter: "s",
        value: "SIGNAL",
        help: "signal, instead of the container's own",
      },
    ],
    examples: [["Immediately", "hpktainer container stop -t 0 web"]],
    load: async () => (await import("../actions/container_life.ts")).stop,
  }),
  command({
    name: "restart",
    summary: "stop and start containers",
    arguments: [CONTAINERS],
    options: [TIME_OPTION],
    examples: [["By name", "hpktainer container restart web"]],
    load: async () => (await import("../actions/container_life.ts")).restart,
  }),
  command({
    name: "kill",
    summary: "send a signal to containers",
    arguments: [CONTAINERS],
    options: [
      { name: "signal", letter: "s", value: "SIGNAL", fallback: "KILL", help: "the signal" },
    ],
    examples: [["Reload the configuration", "hpktainer container kill -s HUP web"]],
    load: async () => (await import("../actions/container_life.ts")).kill,
  }),
  command({
    name: "wait",
    summary: "wait for containers to end, and print their exit status",
    arguments: [CONTAINERS],
    examples: [["By name", "hpktainer container wait job"]],
    load: async () => (await import("../actions/container_life.ts")).wait,
  }),
  command({
    name: "rm",
    aliases: ["remove"],
    summary: "remove containers",
    arguments: [CONTAINERS],
    options: [
      { name: "force", letter: "f", help: "kill running containers first" },
      { name: "volumes", letter: "v", help: "no effect: a container's own volumes go with it" },
    ],
    examples: [["Even if it runs", "hpktainer container rm -f web"]],
    load: async () => (await import("../actions/container_life.ts")).remove,
  }),
  command({
    name: "prune",
    summary: "remove all containers that do not run",
    options: [{ name: "force", letter: "f", help: "no effect: nothing is asked" }],
    examples: [["All", "hpktainer container prune"]],
    load: async () => (await import("../actions/container_life.ts")).prune,
  }),
];
