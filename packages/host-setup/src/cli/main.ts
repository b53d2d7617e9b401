import { EXIT_OWN_FAILURE } from "@hpk/core";
import manifest from "../../deno.json" with { type: "json" };

const HELP = `host-setup ${manifest.version}: makes a host ready for containers

Usage: host-setup --help | --version

Setting a host up is not part of this version: see "hpktainer doctor" for what a host needs.
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
      `host-setup: cannot run '${argv.join(" ")}': setting a host up is not part of version ` +
        `${manifest.version}; see 'hpktainer doctor'`,
    );
    return EXIT_OWN_FAILURE;
  }
  return 0;
}
