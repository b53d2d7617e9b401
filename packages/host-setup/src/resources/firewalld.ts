import { listDirectory, readFileIfExists, runCommand, runOrThrow } from "@hpk/core/os";
import { findTool } from "../tools.ts";
import type { Resource } from "./resource.ts";

/** Value of an interface whose packets firewalld accepts, now and after its restart. */
const TRUSTED = "in the zone trusted";

const SERVICE = "org.fedoraproject.FirewallD1";

/**
 * Interfaces in firewalld's zone "trusted". firewalld rejects traffic forwarded from other zones in
 * tables of its own, even if iptables accepts it.
 */
export function firewalldResource(): Resource {
  const setPlaces = async (id: string, option: string): Promise<void> => {
    const program = findTool("firewall-cmd");
    if (program === undefined) return;
    for (const place of [[], ["--permanent"]]) {
      await runOrThrow(program, [...place, "--zone=trusted", `${option}=${id}`]);
    }
  };
  return {
    kind: "firewalld",
    inspect: (ids) => Promise.all(ids.map(async (id) => await isTrusted(id) ? TRUSTED : null)),
    apply: ({ id }) => setPlaces(id, "--add-interface"),
    async remove({ id }) {
      await setPlaces(id, "--remove-interface");
      return undefined;
    },
  };
}

/** Whether firewalld is running. */
export function isFirewalldRunning(): boolean {
  return (listDirectory("/proc") ?? []).some((name) =>
    /^[0-9]+$/.test(name) && readProcessName(name) === "firewalld"
  );
}

function readProcessName(pid: string): string | undefined {
  try {
    return readFileIfExists(`/proc/${pid}/comm`)?.trim();
  } catch {
    // It ended between the listing and the reading.
    return undefined;
  }
}

/** Over D-Bus: firewall-cmd takes a third of a second per query. */
async function isTrusted(name: string): Promise<boolean> {
  const busctl = findTool("busctl");
  const ask = async (path: string, call: string[]): Promise<boolean> => {
    const words = ["--json=short", "call", SERVICE, path, ...call];
    const { code, stdout } = await runCommand(busctl!, words);
    return code === 0 && JSON.parse(stdout).data?.[0] === true;
  };
  if (busctl === undefined) {
    const program = findTool("firewall-cmd");
    if (program === undefined) return false;
    const args = ["--zone=trusted", `--query-interface=${name}`];
    const codes = await Promise.all(
      [args, ["--permanent", ...args]].map(async (words) =>
        (await runCommand(program, words)).code
      ),
    );
    return codes.every((code) => code === 0);
  }
  const zone = "/org/fedoraproject/FirewallD1";
  const isNow = await ask(zone, [`${SERVICE}.zone`, "queryInterface", "ss", "trusted", name]);
  return isNow && (readFileIfExists("/etc/firewalld/zones/trusted.xml") ?? "")
    .includes(`<interface name="${name}"/>`);
}
