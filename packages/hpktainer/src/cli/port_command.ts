import { Command } from "@cliffy/command";
import { addPorts, listPorts, removePorts } from "../ports/change_ports.ts";
import { formatPorts, type PortView } from "../ports/pure/port_view.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { print, printJson } from "./output.ts";

const JSON_OPTION = ["--json", "Print JSON of a stable shape."] as const;

/** The command `port`, which shows and changes published ports of containers that run. */
// deno-lint-ignore no-explicit-any
export function portCommand(caller: Caller): Command<any> {
  return new Command().description("Show and change the published ports of containers.")
    .command(
      "ls",
      new Command().description("List published ports.")
        .arguments("[name:string]")
        .option(...JSON_OPTION)
        .example("Of all containers", "hpktainer port ls")
        .action(({ json }, name) => show(listPorts(name), json)),
    )
    .command(
      "add",
      new Command().description("Publish further ports of a container that runs.")
        .arguments("<name:string> <ports...:string>")
        .option(...JSON_OPTION)
        .example("Port 8080 of the host, and any free one", "hpktainer port add web 8080:80 0:443")
        .action(async ({ json }, name, ...ports) =>
          show(await addPorts(caller, name, ports), json)
        ),
    )
    .command(
      "rm",
      new Command().description("Take ports of the host away from a container that runs.")
        .arguments("<name:string> <ports...:string>")
        .option(...JSON_OPTION)
        .example("By the host's side", "hpktainer port rm web 8080 127.0.0.1:53/udp")
        .action(async ({ json }, name, ...ports) =>
          show(await removePorts(caller, name, ports), json)
        ),
    );
}

function show(ports: readonly PortView[], json: true | undefined): void {
  json ? printJson({ version: 1, ports }) : print(formatPorts(ports));
}
