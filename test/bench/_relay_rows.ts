/** The rows of `bench:relay`: ways for frames between two network namespaces, each set up on one host. */
import { type Background, eventually, findProgram, type PrivateHost } from "../harness/mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NET_DAEMON = `${ROOT}dist/hpk-net-daemon`;
const DIRECTORY = "/run/net";

/** A way that is set up. */
export interface Row {
  readonly name: string;
  /** Network namespace of the server; undefined for the host's own. */
  readonly server: string | undefined;
  /** Network namespace of the client: the container's end. */
  readonly client: string;
  /** The server's address as the client sees it. */
  readonly address: string;
  /** Processes that carry the frames; none where the kernel does. */
  readonly processes: readonly Background[];
}

/** A row that cannot be set up here, and why. */
export interface Skipped {
  readonly name: string;
  readonly skipped: string;
}

interface Setup {
  readonly host: PrivateHost;
  readonly mtu: number;
  /** Directory of programs made for the benchmark. */
  readonly work: string;
  /** Processes to be ended with the run. */
  readonly keep: (running: Background) => Background;
}

type Maker = (setup: Setup) => Promise<Row | Skipped>;

/** Sets every row up. */
export async function makeRows(setup: Setup): Promise<(Row | Skipped)[]> {
  const rows: (Row | Skipped)[] = [];
  for (const make of [veth, bridge, tap, relayOn, relayOff, goCopyRelay, slirp4netns, pasta]) {
    rows.push(await make(setup));
  }
  return rows;
}

const veth: Maker = async ({ host, mtu }) => {
  await host.sh(`
    ip netns add veth-s; ip netns add veth-c
    ip link add e0 mtu ${mtu} netns veth-s type veth peer name e0 mtu ${mtu} netns veth-c
    ip -n veth-s addr add 10.1.0.1/24 dev e0; ip -n veth-s link set e0 up
    ip -n veth-c addr add 10.1.0.2/24 dev e0; ip -n veth-c link set e0 up`);
  return { name: "veth", server: "veth-s", client: "veth-c", address: "10.1.0.1", processes: [] };
};

const bridge: Maker = async ({ host, mtu }) => {
  await host.sh(`
    ip netns add br-s; ip netns add br-c
    ip link add br1 mtu ${mtu} type bridge; ip link set br1 up
    for end in s c; do
      ip link add br1-$end mtu ${mtu} master br1 up type veth peer name e0 mtu ${mtu} netns br-$end
    done
    ip -n br-s addr add 10.2.0.1/24 dev e0; ip -n br-s link set e0 up
    ip -n br-c addr add 10.2.0.2/24 dev e0; ip -n br-c link set e0 up`);
  return {
    name: "veth through a bridge",
    server: "br-s",
    client: "br-c",
    address: "10.2.0.1",
    processes: [],
  };
};

const tap: Maker = async ({ host, mtu, keep }) => {
  const daemon = keep(await startDaemon(host));
  await addTapSession(host, "tap", 3, mtu);
  return {
    name: "tap",
    server: undefined,
    client: "tap",
    address: "10.3.0.1",
    processes: [daemon],
  };
};

/** Starts the daemon of the run; one that was there before left its sessions. */
export async function startDaemon(host: PrivateHost): Promise<Background> {
  const words = ["serve", "--directory", DIRECTORY, "--ready-fd", "1"];
  const daemon = await host.spawn(NET_DAEMON, words);
  await daemon.waitFor(/^ready$/m);
  return daemon;
}

/** Adds a session of datapath tap: namespace `id`, addresses 10.NUMBER.0.1 on the host and .2. */
export async function addTapSession(
  host: PrivateHost,
  id: string,
  number: number,
  mtu: number,
): Promise<void> {
  const mac = "0a:58:0a:00:00:02";
  await host.run("ip", ["netns", "add", id]);
  const session = {
    ...{ id, datapath: "tap", hostTap: `h-${id}`, mtu, mac, filter: true, uid: 0 },
    container: { namespace: `/run/netns/${id}`, tap: "tap0" },
    address: `10.${number}.0.2`,
  };
  await askDaemon(host, { version: 1, op: "add", session });
  await host.sh(`
    ip addr add 10.${number}.0.1/24 dev h-${id}; ip link set h-${id} up
    ip -n ${id} link set tap0 address ${mac}; ip -n ${id} addr add 10.${number}.0.2/24 dev tap0
    ip -n ${id} link set tap0 up`);
}

/** Asks the daemon of the run. */
export async function askDaemon(
  host: PrivateHost,
  request: unknown,
): Promise<{ status?: { relayHeapBytes: number; memoryBytes: number } }> {
  using connection = await Deno.connect({
    transport: "unix",
    path: `${host.root}${DIRECTORY}/control.sock`,
  });
  await connection.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  const chunk = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.includes("\n")) {
    const length = await connection.read(chunk);
    if (length === null) break;
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
  const answer = JSON.parse(text);
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

const relayOn: Maker = (setup) =>
  twoProcesses(setup, "relay", 4, (mode, socket) => [
    NET_DAEMON,
    ...["-mode", mode, "-socket", socket, "-tap", "tap0", "-create-tap", "-mtu", String(setup.mtu)],
  ]);

const relayOff: Maker = (setup) =>
  twoProcesses(setup, "relay without offload", 5, (mode, socket) => [
    NET_DAEMON,
    ...["-mode", mode, "-socket", socket, "-tap", "tap0", "-create-tap", "-mtu", String(setup.mtu)],
    ...["-offload", "off"],
  ]);

const goCopyRelay: Maker = async (setup) => {
  const name = "copy loop in Go";
  const go = findProgram("go") ?? (exists("/usr/local/go/bin/go") ? "/usr/local/go/bin/go" : "");
  if (go === "") return { name, skipped: "Go is not installed" };
  const binary = `${setup.work}/go-copy-relay`;
  if (!exists(binary)) {
    const built = await new Deno.Command(go, {
      args: ["build", "-o", binary, "."],
      cwd: `${ROOT}test/bench/go-copy-relay`,
      env: { GOCACHE: `${setup.work}/go-cache`, GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" },
    }).output();
    if (!built.success) return { name, skipped: new TextDecoder().decode(built.stderr).trim() };
  }
  return twoProcesses(setup, name, 6, (mode, socket) => [
    binary,
    ...["-mode", mode, "-socket", socket, "-tap", "tap0"],
  ]);
};

async function twoProcesses(
  { host, mtu, keep }: Setup,
  name: string,
  number: number,
  command: (mode: string, socket: string) => string[],
): Promise<Row> {
  const [server, client] = [`s${number}`, `c${number}`];
  const socket = `/run/relay${number}`;
  const processes: Background[] = [];
  for (const [mode, namespace] of [["server", server], ["client", client]] as const) {
    await host.run("ip", ["netns", "add", namespace]);
    const words = ["netns", "exec", namespace, ...command(mode, socket)];
    processes.push(keep(await host.spawn("ip", words)));
    await eventually(() => host.run("ip", ["-n", namespace, "link", "show", "tap0"]), {
      what: `${name}: the ${mode}'s TAP`,
    });
    const last = mode === "server" ? 1 : 2;
    await host.sh(`ip -n ${namespace} link set tap0 mtu ${mtu} up
      ip -n ${namespace} addr add 10.${number}.0.${last}/24 dev tap0`);
  }
  return { name, server, client, address: `10.${number}.0.1`, processes };
}

const slirp4netns: Maker = async ({ host, mtu, keep }) => {
  const name = "slirp4netns";
  if (findProgram(name) === undefined) return { name, skipped: "it is not installed" };
  await host.run("ip", ["netns", "add", "slirp"]);
  const limited = Math.min(mtu, 65520);
  const words = ["-c", "-m", String(limited), "--netns-type=path", "/run/netns/slirp", "tap0"];
  const running = keep(await host.spawn(name, words));
  await eventually(() => host.sh("ip -n slirp route show default | grep -q tap0"), {
    what: "slirp4netns is ready",
  });
  return { name, server: undefined, client: "slirp", address: "10.0.2.2", processes: [running] };
};

const pasta: Maker = async ({ host, mtu, keep }) => {
  const name = "pasta";
  if (findProgram(name) === undefined) return { name, skipped: "it is not installed" };
  await host.sh(`ip netns add pasta
    ip link add up0 mtu ${mtu} type veth peer name up1; ip link set up1 up
    ip addr add 192.0.2.2/24 dev up0; ip link set up0 up; ip route add default via 192.0.2.1`);
  const options = ["-f", "-4", "--config-net", "-m", String(mtu), "--runas", "0"];
  const running = keep(await host.spawn(name, [...options, "--netns", "/run/netns/pasta"]));
  try {
    await eventually(() => host.sh("ip -n pasta route show default | grep -q via"), {
      what: "pasta is ready",
    });
  } catch (error) {
    return {
      name,
      skipped: `${error instanceof Error ? error.message : error}: ${running.stderr}`,
    };
  }
  return { name, server: undefined, client: "pasta", address: "192.0.2.1", processes: [running] };
};

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
