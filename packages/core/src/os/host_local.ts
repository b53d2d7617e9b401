import {
  type Allocation,
  hostLocalConfig,
  hostLocalEnvironment,
  type HostLocalFailure,
  type HostLocalRequest,
  parseHostLocalError,
  parseHostLocalResult,
} from "../model/host_local.ts";
import { oneLine } from "../model/errors.ts";
import { runCommand } from "./command.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";

/** An address that host-local did not give. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
  readonly failure: HostLocalFailure;

  constructor(message: string, failure: HostLocalFailure) {
    super(oneLine(message));
    this.failure = failure;
  }
}

/**
 * Allocates an address, or one of each family, by the plugin's ADD.
 *
 * @throws {AllocationError} When it gives none.
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
 * Gives a container's address back, by the plugin's DEL. One that is not allocated is not an error.
 *
 * @throws {AllocationError} When the plugin fails.
 */
export async function releaseAddress(request: HostLocalRequest): Promise<void> {
  const result = await call("DEL", request);
  if (result.code !== 0) {
    throw new AllocationError(parseHostLocalError(result.stdout || result.stderr).message, "other");
  }
}

function call(command: "ADD" | "DEL", request: HostLocalRequest) {
  return runCommand(requireProgram(PROGRAMS.hostLocal), [], {
    stdin: hostLocalConfig(request),
    environment: hostLocalEnvironment(command, request),
  });
}
