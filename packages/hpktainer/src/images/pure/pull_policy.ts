import { HpkError } from "@hpk/core/errors";

/** When an image is fetched: at every use, if the store lacks it, or never. */
export const PULL_POLICIES = ["always", "missing", "never"] as const;

/** A pull policy. */
export type PullPolicy = typeof PULL_POLICIES[number];

/**
 * Reads a policy.
 *
 * @param option The option that sets it, for the message.
 * @throws {HpkError} When it is unknown.
 */
export function readPullPolicy(option: string, text: string): PullPolicy {
  const policy = PULL_POLICIES.find((known) => known === text);
  if (policy !== undefined) return policy;
  throw new HpkError({
    what: `cannot use ${option} ${text}`,
    why: "there is no such policy",
    fix: `use one of ${PULL_POLICIES.join(", ")}`,
  });
}
