import type { Allocation } from "./pure/host_local_config.ts";
import { type ContainerRecord, formatCidr, formatIpv4, HpkError } from "@hpk/core";
import type { NetworkPlan } from "../network/pure/network_plan.ts";
import { allocateAddress, AllocationError } from "./host_local.ts";
import type { Ledger } from "@hpk/core/os";
import { awaitRelease, leaseRequest } from "./teardown.ts";

/**
 * Allocates a container's addresses, one for each family of the plan.
 *
 * @throws {HpkError} When none is free, or the requested one is not.
 */
export async function allocate(
  ledger: Ledger,
  record: ContainerRecord,
  plan: NetworkPlan,
): Promise<Allocation> {
  const lease = record.resources.find((resource) => resource.kind === "lease")!;
  const request = {
    ...leaseRequest(ledger, record, lease),
    address: plan.address,
    ipv6: plan.ipv6,
  };
  try {
    return await allocateAddress(request);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (error.failure === "exhausted") {
      // Ended containers that are being released may free one.
      await awaitRelease(ledger, (other) => other.id !== record.id);
      return await allocateAddress(request).catch((again) => {
        throw allocationFailure(ledger, plan, again);
      });
    }
    throw allocationFailure(ledger, plan, error);
  }
}

function allocationFailure(ledger: Ledger, plan: NetworkPlan, error: unknown): unknown {
  if (!(error instanceof AllocationError)) return error;
  const subnet = formatCidr(plan.subnet);
  if (error.failure === "exhausted") {
    return new HpkError({
      what: "cannot give the container an address",
      why: `every address of ${subnet} is in use`,
      fix: "stop a container (see hpktainer ps), or use a larger subnet",
    }, { cause: error });
  }
  if (error.failure === "taken" && plan.address !== undefined) {
    const address = formatIpv4(plan.address);
    const holder = ledger.list().find((record) => record.address === address);
    return new HpkError({
      what: `cannot give the container the address ${address}`,
      why: holder === undefined ? "it is in use" : `container '${holder.name}' has it`,
      fix: `choose another address in ${subnet}, or leave --ip out`,
    }, { cause: error });
  }
  return new HpkError({
    what: "cannot allocate an address",
    why: `host-local says: ${error.message}`,
    fix: "see 'hpktainer doctor'",
  }, { cause: error });
}
