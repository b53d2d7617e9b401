import {
  formatIpv4,
  hostLinkName,
  HpkError,
  type Ipv4,
  macOf,
  RELAY_DIRECTORY,
  type RelayRequest,
  type RelaySession,
} from "@hpk/core";
import type { NetworkPlan } from "../network/pure/network_plan.ts";
import {
  askRelay,
  faultPoint,
  NET_DAEMON,
  PROGRAMS,
  readFileIfExists,
  requireProgram,
  runOrThrow,
} from "@hpk/core/os";

/** A session to start. */
export interface SessionRequest {
  readonly id: string;
  readonly plan: NetworkPlan;
  readonly container: RelaySession["container"];
  readonly address: Ipv4;
}

/** Seconds without a session after which the daemon exits. */
const IDLE_EXIT = 5;

/** Number of attempts: the daemon may be exiting, or another process may start it first. */
const ATTEMPTS = 5;

const LOG = `${RELAY_DIRECTORY}/log`;

/**
 * Requests a session from the host's hpk-net-daemon, and starts the daemon if it does not run.
 *
 * @throws {HpkError} When it cannot be started, or refuses.
 */
export async function startRelaySession(request: SessionRequest): Promise<void> {
  const { id, plan, container, address } = request;
  const add: RelayRequest = {
    version: 1,
    op: "add",
    session: {
      id,
      datapath: container === null ? "relay" : "tap",
      hostTap: hostLinkName(id),
      container,
      mtu: plan.mtu,
      mac: macOf(address),
      address: formatIpv4(address),
      filter: true,
      uid: 0,
    },
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await askRelay(RELAY_DIRECTORY, add) !== undefined) return faultPoint("relay.session");
    await startDaemon();
    faultPoint("relay.daemon");
  }
  throw new HpkError({
    what: "cannot start hpk-net-daemon",
    why: lastLine(readFileIfExists(LOG) ?? "") ?? "it ended without a message",
    fix: "try 'hpk-net-daemon serve', or use --datapath veth",
  });
}

/**
 * Runs a command, and restarts it after a signal has killed it. The command signals that it is
 * ready by closing descriptor 3, which nothing else holds: then the pipe on standard output ends.
 */
const SUPERVISOR = `cd /
exec 3>&1 >/dev/null 2>>"$0" </dev/null
"$@" --ready-fd 3 &
exec 3>&-
wait $!
while [ $? -ge 128 ]; do "$@" & wait $!; done`;

/** Starts the daemon in its own session, and waits until it is ready or has ended. */
async function startDaemon(): Promise<void> {
  Deno.mkdirSync(RELAY_DIRECTORY, { recursive: true, mode: 0o700 });
  const program = requireProgram(NET_DAEMON);
  const serve = ["serve", "--directory", RELAY_DIRECTORY, "--idle-exit", String(IDLE_EXIT)];
  const words = ["--fork", "sh", "-c", SUPERVISOR, LOG, program, ...serve];
  await runOrThrow(requireProgram(PROGRAMS.setsid), words);
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1) || undefined;
}
