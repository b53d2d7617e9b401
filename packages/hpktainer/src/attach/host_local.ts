import {
  type Allocation,
  hostLocalConfig,
  hostLocalEnvironment,
  type HostLocalFailure,
  type HostLocalRequest,
  parseHostLocalError,
  parseHostLocalResult,
} from "./pure/host_local_config.ts";
import { lockExclusive, openLockFile } from "@hpk/core/ffi";
import { oneLine } from "@hpk/core";
import { runCommand } from "@hpk/core/os";
import { listDirectory, readFileIfExists, removeIfExists } from "@hpk/core/os";
import { PROGRAMS, requireProgram } from "@hpk/core/os";

/** host-local did not allocate an address. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
  readonly failure: HostLocalFailure;

  constructor(message: string, failure: HostLocalFailure) {
    super(oneLine(message));
    this.failure = failure;
  }
}

/**
 * Allocates an address, or one of each family, with the plugin's ADD.
 *
 * @throws {AllocationError} When it does not allocate one.
 */
export async function allocateAddress(request: HostLocalRequest): Promise<Allocation> {
  const result = await call("ADD", request);
  if (result.code !== 0) {
    const { message, failure } = parseHostLocalError(result.stdout || result.stderr);
    throw new AllocationError(message, failure);
  }
  return parseHostLocalResult(result.stdout);
}

/**
 * Releases a container's addresses with the plugin's DEL. It is not an error if there are none.
 *
 * @throws {AllocationError} When the plugin fails.
 */
export async function releaseAddress(request: HostLocalRequest): Promise<void> {
  const result = await call("DEL", request);
  if (result.code !== 0) {
    throw new AllocationError(parseHostLocalError(result.stdout || result.stderr).message, "other");
  }
}

/**
 * Releases addresses in the plugin's store, as its DEL does but without starting it: that takes a
 * process, and reads every container's file, for each container. The store has a directory per
 * network with a file per address, whose first line is the container's id, and a file "lock" for
 * flock(2) (plugins/ipam/host-local/backend/disk).
 *
 * @param addresses The container's addresses; one that is another container's by now is kept.
 */
export function forgetAddresses(
  { dataDir, network, id }: Pick<HostLocalRequest, "dataDir" | "network" | "id">,
  addresses: readonly string[],
): void {
  const directory = `${dataDir}/${network}`;
  if (listDirectory(directory) === undefined) return;
  using lock = openLockFile(`${directory}/lock`);
  lockExclusive(lock);
  for (const address of addresses) {
    const path = `${directory}/${address}`;
    if (readFileIfExists(path)?.split("\n", 1)[0]?.trim() === id) removeIfExists(path);
  }
}

function call(command: "ADD" | "DEL", request: HostLocalRequest) {
  return runCommand(requireProgram(PROGRAMS.hostLocal), [], {
    stdin: hostLocalConfig(request),
    environment: hostLocalEnvironment(command, request),
  });
}
