import { parseCidr } from "@hpk/core";
import { Ledger } from "@hpk/core/os";
import { apptainerVariables, becomeApptainer } from "./apptainer.ts";
import { apptainerEnvironment } from "./pure/apptainer_command.ts";
import type { Caller } from "../../shared/pure/caller.ts";

/**
 * Runs a command in an instance, whose network it shares: it learns the instance's address.
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
  const prefix = record === undefined ? undefined : parseCidr(record.subnet)?.prefix;
  const network = record === undefined || record.address === null ? {} : apptainerEnvironment({
    address: `${record.address}/${prefix}`,
    gateway: record.gateway,
    address6: record.address6 === null
      ? undefined
      : `${record.address6}/${record.subnet6?.split("/")[1]}`,
    gateway6: record.gateway6 ?? undefined,
    relay: undefined,
  });
  return becomeApptainer(caller, args, apptainerVariables(caller, network));
}
