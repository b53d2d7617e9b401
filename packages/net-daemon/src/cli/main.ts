import { EXIT_OWN_FAILURE } from "@hpk/core";
import manifest from "../../deno.json" with { type: "json" };

const HELP = `hpk-net-daemon ${manifest.version}: relays Ethernet frames between TAP devices

Usage: hpk-net-daemon --help | --version

The relay is not part of this version: hpktainer attaches containers by veth and needs no daemon.
`;

/**
 * Runs the program.
 *
 * @param argv Arguments after the program's name.
 * @return The exit status.
 */
export function main(argv: readonly string[]): number {
  const [word] = argv;
  if (word === "--version" || word === "-version") console.log(manifest.version);
  else if (word === undefined || word === "--help" || word === "-h") console.log(HELP.trimEnd());
  else {
    console.error(
      `hpk-net-daemon: cannot run '${argv.join(" ")}': the relay is not part of version ` +
        `${manifest.version}; use hpktainer with --datapath veth`,
    );
    return EXIT_OWN_FAILURE;
  }
  return 0;
}
