import { Command } from "@cliffy/command";
import { errorLine, HpkError } from "@hpk/core";
import { execInContainer } from "../runtimes/crun/exec.ts";
import { readLogs } from "../containers/logs.ts";
import { findContainer, firstProcessOf, listContainers } from "../containers/store.ts";
import {
  killContainer,
  pruneContainers,
  removeContainer,
  stopContainer,
  waitForContainer,
} from "../runtimes/crun/stop_and_remove.ts";
import { attachToContainer, restartContainer } from "../runtimes/crun/restart.ts";
import { createContainer, runContainer } from "../runtimes/crun/run.ts";
import { readTime } from "../containers/pure/log_lines.ts";
import {
  formatContainerList,
  inspectionOf,
  type ListedContainer,
  listedContainer,
} from "../containers/pure/container_text.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { complain, print, printJson, printTo } from "./output.ts";

// The type of a command is what its options make of it: it is written nowhere else.
// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;

/** Exit status of a command on several containers of which some failed, as with Docker. */
const EXIT_SOME_FAILED = 1;

/**
 * Runs those commands on containers whose words behind the image or the container are a program's.
 *
 * @param caller Who asks.
 * @param args The command's name and what follows.
 * @return Its exit status; undefined for any other command.
 */
export async function runProgramCommand(
  caller: Caller,
  args: readonly string[],
): Promise<number | undefined> {
  const [name, ...words] = args;
  switch (name) {
    case "run":
      return await runContainer(caller, words);
    case "create": {
      const id = await createContainer(caller, words);
      if (id !== undefined) print(`${id}\n`);
      return 0;
    }
    case "exec":
      return await execInContainer(caller, words);
    default:
      return undefined;
  }
}

/**
 * The commands on containers, `hpktainer container …`.
 *
 * @param end Takes the exit status.
 */
export function containerCommand(caller: Caller, end: (status: number) => void): AnyCommand {
  const each = eachOf(end);
  return new Command().description("Run and manage containers of OCI images, as Docker does.")
    .example("Run one", "hpktainer container run -it alpine sh")
    .command("ls", listCommand()).alias("ps").alias("list")
    .command("logs", logsCommand())
    .command("attach", attachCommand(caller, end))
    .command("start", startCommand(caller, end))
    .command(
      "stop",
      new Command().description("Stop containers: by their signal, then by SIGKILL.")
        .arguments("<container...:string>")
        .option("-t, --time <seconds:integer>", "Time before SIGKILL; default 10.")
        .option("-s, --signal <signal:string>", "Instead of the container's.")
        .example("At once", "hpktainer container stop -t 0 web")
        .action(({ time, signal }, ...names) =>
          each(names, (name) => stopContainer(name, time, signal))
        ),
    )
    .command(
      "restart",
      new Command().description("Stop and start containers.")
        .arguments("<container...:string>")
        .option("-t, --time <seconds:integer>", "Time before SIGKILL; default 10.")
        .example("By name", "hpktainer container restart web")
        .action(({ time }, ...names) =>
          each(names, async (name) => {
            await stopContainer(name, time);
            await restartContainer(caller, name, false, false);
          })
        ),
    )
    .command(
      "kill",
      new Command().description("Send a signal to containers.")
        .arguments("<container...:string>")
        .option("-s, --signal <signal:string>", "Default KILL.", { default: "KILL" })
        .example("Read the configuration again", "hpktainer container kill -s HUP web")
        .action(({ signal }, ...names) => each(names, (name) => killContainer(name, signal))),
    )
    .command(
      "rm",
      new Command().description("Remove containers.")
        .arguments("<container...:string>")
        .option("-f, --force", "Kill those that run.")
        .option("-v, --volumes", "Has no effect: its own volumes go with a container.")
        .example("Whatever it does", "hpktainer container rm -f web")
        .action(({ force }, ...names) =>
          each(names, (name) => removeContainer(name, force ?? false))
        ),
    ).alias("remove")
    .command(
      "wait",
      new Command().description("Wait for containers to end, and print their exit status.")
        .arguments("<container...:string>")
        .example("By name", "hpktainer container wait job")
        .action((_options, ...names) =>
          each(names, async (name) => String(await waitForContainer(name)))
        ),
    )
    .command("inspect", inspectCommand())
    .command(
      "prune",
      new Command().description("Remove every container that does not run.")
        .option("-f, --force", "Has no effect: nothing is asked.")
        .example("All", "hpktainer container prune")
        .action(async () => print((await pruneContainers()).map((id) => `${id}\n`).join(""))),
    )
    .command("run", new Command().description("As 'hpktainer run --runtime crun'."))
    .command("create", new Command().description("As run, without starting it."))
    .command("exec", new Command().description("Run a command in a container that runs."));
}

function listCommand(): AnyCommand {
  return new Command().description("List containers.")
    .option("-a, --all", "Those that do not run, too.")
    .option("-q, --quiet", "Ids only.")
    .option("-n, --last <count:integer>", "The newest, whatever they do.")
    .option("-f, --filter <filter:string>", "name=, status=, label= or id=.", { collect: true })
    .option("--no-trunc", "Show commands whole.")
    .option("--json", "Print JSON of a stable shape.")
    .option("--format <kind:string>", "Only 'json': the same as --json.")
    .example("All, for a program", "hpktainer container ls -a --json")
    .action(({ all, quiet, last, filter, trunc, json, format }) => {
      const wanted = listContainers().map(listedContainer)
        .filter(({ status }) =>
          all || last !== undefined || filter?.some(isOnStatus) || status === "running"
        )
        .filter((listed) => (filter ?? []).every((text) => matches(listed, text)))
        .slice(0, last);
      if (wantsJson(json, format)) return printJson({ version: 1, containers: wanted });
      print(
        quiet
          ? wanted.map(({ id }) => `${id}\n`).join("")
          : formatContainerList(wanted, !trunc, Date.now()),
      );
    });
}

function logsCommand(): AnyCommand {
  return new Command().description("Show what a container has written.")
    .arguments("<container:string>")
    .option("-f, --follow", "Go on until it ends.")
    .option("-n, --tail <lines:string>", "The last lines; default all.", { default: "all" })
    .option("-t, --timestamps", "Show when it was written.")
    .option("--since <time:string>", "From then on: RFC 3339, or ago, such as 10m.")
    .option("--until <time:string>", "Until then.")
    .example("Follow", "hpktainer container logs -f --tail 10 web")
    .action(async ({ follow, tail, timestamps, since, until }, name) => {
      const selection = {
        tail: toTail(tail),
        since: toTime("--since", since),
        until: toTime("--until", until),
      };
      for await (const entry of readLogs(name, selection, follow ?? false)) {
        const text = timestamps ? `${entry.time} ${entry.text}` : entry.text;
        if (!printTo(entry.stream, text)) return;
      }
    });
}

function attachCommand(caller: Caller, end: (status: number) => void): AnyCommand {
  return new Command().description("Attach to a container that runs in the background.")
    .arguments("<container:string>")
    .option("--no-stdin", "Do not hand on standard input.")
    .option("--detach-keys <keys:string>", "Keys that leave it; default ctrl-p,ctrl-q.")
    .example("By name", "hpktainer container attach shell")
    .action(async ({ stdin, detachKeys }, name) =>
      end(await attachToContainer(caller, name, stdin, detachKeys))
    );
}

function startCommand(caller: Caller, end: (status: number) => void): AnyCommand {
  return new Command().description("Start containers that were created, or have ended.")
    .arguments("<container...:string>")
    .option("-a, --attach", "Wait for it, and have its output.")
    .option("-i, --interactive", "Hand on standard input, too.")
    .example("In the foreground", "hpktainer container start -ai shell")
    .action(async ({ attach, interactive }, ...names) => {
      if (!attach && !interactive) {
        return await eachOf(end)(names, async (name) => {
          await restartContainer(caller, name, false, false);
        });
      }
      if (names.length > 1) {
        throw new HpkError({
          what: "cannot attach to several containers",
          why: "there is one standard input",
          fix: "name one",
        });
      }
      end(await restartContainer(caller, names[0]!, true, interactive ?? false));
    });
}

function inspectCommand(): AnyCommand {
  return new Command().description("Show all about containers, as JSON in Docker's shape.")
    .arguments("<container...:string>")
    .option("--format <kind:string>", "Only 'json'.")
    .example(
      "Its address",
      "hpktainer container inspect web | jq -r '.[].NetworkSettings.IPAddress'",
    )
    .action(({ format }, ...names) => {
      wantsJson(undefined, format);
      printJson(names.map((name) => {
        const found = findContainer(name);
        const isRunning = found.status === "running";
        const pid = isRunning ? firstProcessOf(found.container.id, "inspect").pid : undefined;
        return inspectionOf(found, pid);
      }));
    });
}

/** Does something with each container, and prints its name or what comes of it; one failure does not keep it from the rest. */
function eachOf(
  end: (status: number) => void,
): (names: readonly string[], act: (name: string) => Promise<string | void>) => Promise<void> {
  return async (names, act) => {
    for (const name of names) {
      try {
        print(`${await act(name) ?? name}\n`);
      } catch (error) {
        complain(errorLine("hpktainer", error));
        end(EXIT_SOME_FAILED);
      }
    }
  };
}

function isOnStatus(filter: string): boolean {
  return filter.startsWith("status=");
}

function matches(listed: ListedContainer, filter: string): boolean {
  const [key, value = ""] = filter.split(/=(.*)/s);
  switch (key) {
    case "name":
      return listed.name.includes(value);
    case "id":
      return listed.id.startsWith(value);
    case "status":
      return listed.status === value;
    case "label": {
      const [label = "", wanted] = value.split(/=(.*)/s);
      return Object.hasOwn(listed.labels, label) &&
        (wanted === undefined || listed.labels[label] === wanted);
    }
    default:
      throw new HpkError({
        what: `cannot filter by '${filter}'`,
        why: "there is no such filter",
        fix: "use name=, id=, status= or label=",
      });
  }
}

function toTail(text: string): number | undefined {
  if (text === "all") return undefined;
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw new HpkError({
    what: `cannot use --tail ${text}`,
    why: "it is no number of lines",
    fix: "give one, or all",
  });
}

function toTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = readTime(text, Date.now());
  if (time !== undefined) return time;
  throw new HpkError({
    what: `cannot use ${option} ${text}`,
    why: "it is no time",
    fix: "give RFC 3339, or how long ago, such as 10m",
  });
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
