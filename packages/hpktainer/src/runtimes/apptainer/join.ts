import { Ledger } from "@hpk/core/ledger";
import { apptainerVariables, becomeApptainer } from "./apptainer.ts";
import { apptainerEnvironment } from "./pure/apptainer_command.ts";
import type { Caller } from "../../shared/pure/caller.ts";

/**
 * Runs a command in an instance and in its network, with the instance's address in its environment.
 *
 * @param instance The instance's name.
 * @param args Arguments for Apptainer.
 */
export function joinInstance(
  caller: Caller,
  instance: string,
  args: readonly string[],
): never {
  const record = new Ledger().list().find(({ kind, name }) =>
    kind === "instance" && name === instance
  );
  const prefixOf = (subnet: string | null | undefined) => subnet?.split("/")[1];
  const network = record === undefined || record.address === null ? {} : apptainerEnvironment({
    address: `${record.address}/${prefixOf(record.subnet)}`,
    gateway: record.gateway,
    address6: record.address6 === null
      ? undefined
      : `${record.address6}/${prefixOf(record.subnet6)}`,
    gateway6: record.gateway6 ?? undefined,
    relay: undefined,
  });
  return becomeApptainer(caller, args, apptainerVariables(caller, network));
}
