import {
  formatIpv4,
  hostLinkName,
  HpkError,
  type Ipv4,
  macOf,
  type NetworkPlan,
  RELAY_DIRECTORY,
  type RelayRequest,
  type RelaySession,
} from "@hpk/core";
import {
  askRelay,
  faultPoint,
  NET_DAEMON,
  PROGRAMS,
  readFileIfExists,
  requireProgram,
  runOrThrow,
} from "@hpk/core/os";

/** A session to be started. */
export interface SessionRequest {
  readonly id: string;
  readonly plan: NetworkPlan;
  readonly container: RelaySession["container"];
  readonly address: Ipv4;
}

/** Seconds without a session after which the daemon ends. */
const IDLE_EXIT = 5;

/** The daemon may be ending, or another start be faster than ours: then it is tried again. */
const ATTEMPTS = 5;

const LOG = `${RELAY_DIRECTORY}/log`;

/**
 * Asks the host's hpk-net-daemon for a session, and starts it where it does not run.
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

/** Starts the daemon in a session of its own, and waits until it is ready or has ended. */
async function startDaemon(): Promise<void> {
  Deno.mkdirSync(RELAY_DIRECTORY, { recursive: true, mode: 0o700 });
  const program = requireProgram(NET_DAEMON);
  const options = ["--directory", RELAY_DIRECTORY, "--idle-exit", String(IDLE_EXIT)];
  // It closes descriptor 3 when it is ready, and the pipe ends; the runtime keeps its standard output.
  const streams = `</dev/null 3>&1 >/dev/null 2>>${LOG}`;
  const detached = ["--fork", "sh", "-c", `cd / && exec "$@" ${streams}`, "sh"];
  await runOrThrow(requireProgram(PROGRAMS.setsid), [
    ...detached,
    ...[program, "serve", ...options, "--ready-fd", "3"],
  ]);
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1) || undefined;
}
