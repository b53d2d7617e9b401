/** Two hosts under Flannel with a container on each, and their traffic: a transcript. */
import { eventuallySame, images, type PrivateHost, snapshot } from "../test/harness/mod.ts";
import { HPKTAINER } from "../test/harness/hpktainer.ts";
import { Cluster, type Node } from "../test/harness/cluster/cluster.ts";
import { hasFlanneld } from "../test/harness/cluster/flannel.ts";

const by = hasFlanneld ? "flanneld" : "hand";

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

/** Runs a command of hpktainer on a host, and prints both as a terminal would show them. */
async function show(node: Node, args: readonly string[]): Promise<void> {
  const words = args.map((word) => word.endsWith(".sif") ? "busybox.sif" : quote(word));
  console.log(`${node.host.name}$ hpktainer ${words.join(" ")}`);
  const { stdout, stderr } = await node.host.run(HPKTAINER, args, { timeoutMs: 60_000 });
  console.log((stderr + stdout).trimEnd());
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

heading(
  `two hosts, ${by === "flanneld" ? "etcd and flanneld" : "programmed as by flanneld"}, VXLAN`,
);
const { base } = await images();
await using cluster = await Cluster.create({ hosts: 2, backend: "vxlan", by });
const [one, two] = cluster.nodes as [Node, Node];
const before = new Map<PrivateHost, Awaited<ReturnType<typeof snapshot>>>();
for (const node of [one, two]) {
  await node.host.sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
  before.set(node.host, await snapshot(node.host));
  const { FLANNEL_SUBNET, FLANNEL_MTU } = await cluster.subnetEnv(node);
  console.log(`${node.host.name}  ${node.address}  pods ${FLANNEL_SUBNET}, MTU ${FLANNEL_MTU}`);
}

heading("a container on host1 that serves");
const serve = "nc -ll -p 80 -e hostname -i";
await using server = await one.host.spawn(HPKTAINER, [
  ...["exec", "--name", "web", base, "sh", "-c", `echo up; exec ${serve}`],
]);
console.log(`host1$ hpktainer exec --name web busybox.sif ${serve} &`);
await server.waitFor(/^up$/m, { timeoutMs: 60_000 });
console.log("host1$ hpktainer ps --json | jq -r '.containers[] | .name, .address'");
const { name, address } = JSON.parse((await one.host.run(HPKTAINER, ["ps", "--json"])).stdout)
  .containers[0];
console.log(`${name}\n${address}`);

heading("a container on host2 that calls it");
const call = `ip -4 -o address show eth0; ping -q -c 3 -s 65507 ${address}; nc ${address} 80; ` +
  `traceroute -n -w 1 ${address}`;
await show(two, ["exec", base, "sh", "-ec", call]);

heading("out to the internet, which sees the host");
await show(two, ["exec", base, "ping", "-q", "-c", "1", cluster.internet.outside]);

heading("nothing is left");
server.signal("SIGTERM");
await server.wait();
for (const { host } of [one, two]) {
  await host.run(HPKTAINER, ["gc"]);
  // The monitor needs a moment to end.
  await eventuallySame(host, before.get(host)!, { timeoutMs: 30_000 });
}
console.log("links, namespaces, leases, firewall rules and processes of both hosts are as before");
