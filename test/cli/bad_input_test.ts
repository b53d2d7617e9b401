/**
 * Bad input: exit status 125, one clear line on standard error, and the host as it was before.
 *
 *   [ host ] no uplink; links and files as each case makes them
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  eventuallySame,
  images,
  linksReady,
  PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, needs, programForUsers, SUBNET } from "../harness/hpktainer.ts";

/** A wrong call, and its message. */
interface Case {
  /** What is wrong. */
  readonly what: string;
  /** Prepares the host; undone by `after`. */
  readonly before?: string;
  /** Links that it sets up. */
  readonly links?: readonly string[];
  readonly after?: string;
  /** Arguments; IMAGE stands for a real image. */
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** What the line says after "hpktainer: ". */
  readonly says: RegExp;
}

const RUN = ["exec", "--subnet", SUBNET, "IMAGE", "true"];
const FLANNEL = ["exec", "--network", "flannel", "IMAGE", "true"];

function exec(...options: string[]): string[] {
  return ["exec", ...options, "IMAGE", "true"];
}

/** A subnet.env that is wrong. */
function flannelCase(what: string, text: string, says: RegExp): Case {
  return {
    what: `subnet.env ${what}`,
    before: `mkdir -p /run/flannel; printf '${text}' > /run/flannel/subnet.env`,
    after: "rm -r /run/flannel",
    args: FLANNEL,
    says,
  };
}

/** A configuration file that is wrong. */
function configCase(what: string, text: string, says: RegExp): Case {
  return {
    what: `configuration file ${what}`,
    before: `mkdir -p /etc/hpktainer; printf '${text}' > /etc/hpktainer/config.ini`,
    after: "rm /etc/hpktainer/config.ini",
    args: RUN,
    says,
  };
}

const CASES: readonly Case[] = [
  {
    what: "subnet.env absent",
    args: FLANNEL,
    says:
      /^cannot give the container an address: \/run\/flannel\/subnet\.env does not exist.*flanneld/,
  },
  flannelCase("empty", "", /subnet\.env: it is empty/),
  flannelCase("garbage", "\\\\x01\\\\x02 what", /subnet\.env: it is not a list of KEY=value lines/),
  flannelCase("without a subnet", "FLANNEL_NETWORK=10.1.0.0/16\\n", /FLANNEL_SUBNET is missing/),
  flannelCase(
    "IPv6 only",
    "FLANNEL_IPV6_NETWORK=fd00::/48\\nFLANNEL_IPV6_SUBNET=fd00::1/64\\nFLANNEL_MTU=1450\\n",
    /it has only an IPv6 subnet/,
  ),
  flannelCase(
    "outside its network",
    "FLANNEL_NETWORK=10.1.0.0/16\\nFLANNEL_SUBNET=10.2.1.1/24\\nFLANNEL_MTU=1450\\n",
    /FLANNEL_SUBNET 10\.2\.1\.0\/24 lies outside FLANNEL_NETWORK 10\.1\.0\.0\/16/,
  ),
  flannelCase(
    "with a /31",
    "FLANNEL_NETWORK=10.1.0.0/16\\nFLANNEL_SUBNET=10.1.1.0/31\\nFLANNEL_MTU=1450\\n",
    /cannot use subnet 10\.1\.1\.0\/31.*no room/,
  ),
  {
    what: "a level of the log that there is not",
    args: RUN,
    env: { HPK_LOG: "loud" },
    says: /^cannot use HPK_LOG=loud: there is no such level; use one of error, warn, info, debug$/,
  },
  {
    what: "a subnet that overlaps a route",
    before: "ip link add up0 type veth peer name up1; ip address add 10.96.0.200/25 dev up0; " +
      "ip link set up1 up; ip link set up0 up; ip route add 10.50.0.0/16 dev up0",
    links: ["up0", "up1"],
    args: exec("--subnet", "10.50.3.0/24"),
    says:
      /^cannot use subnet 10\.50\.3\.0\/24: it overlaps the host's route to 10\.50\.0\.0\/16 by up0/,
  },
  {
    what: "a subnet that overlaps an address",
    args: RUN,
    after: "ip link delete up0",
    says: /^cannot use subnet 10\.96\.0\.0\/24: it overlaps up0 \(10\.96\.0\.200\/25\)/,
  },
  {
    what: "Apptainer's own subnet",
    args: exec("--subnet", "10.22.7.0/24"),
    says: /it overlaps Apptainer's own bridge network 10\.22\.0\.0\/16/,
  },
  {
    what: "a subnet too small",
    args: exec("--subnet", "10.96.0.0/31"),
    says: /cannot use subnet 10\.96\.0\.0\/31.*no room.*\/8 to \/30/,
  },
  {
    what: "no subnet",
    args: exec("--network", "static"),
    says: /^cannot give the container an address: the network is static and no subnet is set/,
  },
  {
    what: "a bridge name taken by something else",
    before: "ip link add hpk-bridge type veth peer name other",
    after: "ip link delete hpk-bridge",
    args: RUN,
    says: /^cannot use the bridge hpk-bridge: an interface of that name is a veth; .*HPK_BRIDGE/,
  },
  {
    what: "a bridge with another address",
    before: "ip link add hpk-bridge type bridge; ip address add 10.97.0.1/24 dev hpk-bridge",
    after: "ip link delete hpk-bridge",
    args: RUN,
    says:
      /^cannot use the bridge hpk-bridge: it has the address 10\.97\.0\.1\/24 and 10\.96\.0\.1\/24 is wanted/,
  },
  ...[
    ["10.97.0.5", "it lies outside the subnet 10\\.96\\.0\\.0/24"],
    ["10.96.0.1", "it is the gateway's address"],
    ["10.96.0.0", "it is the network address"],
    ["10.96.0.255", "it is the broadcast address"],
    ["10.96.0.300", "it is not an IPv4 address"],
  ].map(([ip, why]): Case => ({
    what: `the address ${ip}`,
    args: exec("--subnet", SUBNET, "--ip", ip!),
    says: new RegExp(`^cannot give the container the address ${ip}: ${why}; choose a free one`),
  })),
  {
    what: "an option that nobody knows",
    args: exec("--frobnicate"),
    says: /^cannot understand --frobnicate: .*--frobnicate=VALUE/,
  },
  {
    what: "no image",
    args: ["run"],
    says: /^cannot run 'hpktainer run': no image is named; write hpktainer run/,
  },
  {
    what: "an instance without a name",
    args: ["instance", "start", "IMAGE"],
    says: /^cannot run 'hpktainer instance start': the instance's name is missing/,
  },
  {
    what: "an image that does not exist",
    args: ["run", "--subnet", SUBNET, "/no/such.sif"],
    says: /^cannot start \/no\/such\.sif: there is no such image/,
  },
  {
    what: "a name that is none",
    args: exec("--subnet", SUBNET, "--name", "-x y"),
    says: /^cannot name a container '-x y': a name has at most 63 /,
  },
  {
    what: "an MTU that is none",
    args: exec("--subnet", SUBNET, "--mtu", "20"),
    says:
      /^option --mtu: cannot use mtu '20': the value is wrong; give a number of bytes from 68 to 65535/,
  },
  {
    what: "a variable that is wrong",
    args: RUN,
    env: { HPK_DATAPATH: "pigeon" },
    says: /^environment HPK_DATAPATH: cannot use datapath 'pigeon'.*one of auto, veth, tap, relay/,
  },
  {
    what: "an uplink that does not exist",
    args: exec("--subnet", SUBNET, "--uplink", "nope0"),
    says: /^cannot use the uplink nope0: no interface has that name/,
  },
  {
    what: "Apptainer's own network options",
    args: exec("--subnet", SUBNET, "--network-args", "IP=10.96.0.5"),
    says: /^cannot use --network-args: it is for Apptainer's CNI plugins/,
  },
  {
    what: "a namespace of the user's own",
    args: exec("--subnet", SUBNET, "--netns-path=/proc/1/ns/net"),
    says: /^cannot use --netns-path: hpktainer creates the network namespace itself/,
  },
  {
    what: "a network of Apptainer's",
    args: exec("--network", "bridge"),
    says:
      /^option --network: cannot use network 'bridge'.*one of auto, flannel, static, host, none/,
  },
  {
    what: "--ip without a network",
    args: exec("--network", "host", "--ip", "10.96.0.5"),
    says: /^cannot use --ip with the network 'host'/,
  },
  configCase(
    "with a wrong key",
    "[network]\\n\\nbrige = b0\\n",
    /^\/etc\/hpktainer\/config\.ini:3: unknown key 'brige'/,
  ),
  configCase(
    "with a wrong value",
    "# ours\\n[network]\\nmtu = big\\n",
    /^\/etc\/hpktainer\/config\.ini:3: cannot use mtu 'big'/,
  ),
  configCase(
    "with a wrong section",
    "[netwrok]\\nmtu = 1500\\n",
    /^\/etc\/hpktainer\/config\.ini:1: unknown section 'netwrok'/,
  ),
  configCase(
    "that is not INI",
    "[network]\\nwhat is this\\n",
    /^\/etc\/hpktainer\/config\.ini:2: cannot read this line/,
  ),
  {
    what: "a container that does not exist",
    args: ["show", "nobody"],
    says: /^cannot show 'nobody': no container/,
  },
  {
    what: "an unknown option of ours",
    args: ["ps", "--jsn"],
    says: /^cannot understand --jsn: 'hpktainer ps' has no such option; see 'hpktainer ps --help'/,
  },
  {
    what: "an unknown shell",
    args: ["completions", "tcsh"],
    says: /^cannot run 'hpktainer completions': 'tcsh' is not a valid SHELL; give one of bash/,
  },
];

testIf({ name: "bad input gets one clear line and leaves nothing", needs }, async (t) => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  for (const { what, before, links = [], after, args, env = {}, says } of CASES) {
    await t.step(what, async () => {
      if (before !== undefined) await host.sh(before);
      await linksReady(host, ...links);
      const state = await snapshot(host);
      const result = await hpk(host, args.map((word) => word === "IMAGE" ? base : word), { env });
      assertOneLine(result, says);
      await eventuallySame(host, state);
      if (after !== undefined) await host.sh(after);
    });
  }
});

testIf({ name: "a quoted subnet.env with CRLF and unknown keys is accepted", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const text =
    '# flannel\\r\\nFLANNEL_NETWORK="10.244.0.0/16"\\r\\nFLANNEL_SUBNET="10.244.7.1/24"\\r\\n' +
    "FLANNEL_MTU=1450\\r\\nFLANNEL_IPMASQ=true\\r\\nFLANNEL_FUTURE=1\\r\\n\\r\\n";
  await host.sh(`mkdir -p /run/flannel; printf '${text}' > /run/flannel/subnet.env`);
  const { code, stdout } = await hpk(host, ["exec", base, "sh", "-c", "echo $HPK_IP"]);
  assertEquals([code, stdout], [0, "10.244.7.2/24\n"]);
});

testIf({ name: "what is in use is refused, naming its holder", needs }, async (t) => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const small = ["--subnet", "10.96.0.0/30"];
  await hpk(host, ["instance", "start", ...small, base, "web"], { check: true });
  const state = await snapshot(host);
  const cases: [string, string[], RegExp][] = [
    [
      "a name",
      exec(...small, "--name", "web"),
      /^cannot name the container 'web': a container of that name exists/,
    ],
    [
      "an address",
      exec(...small, "--ip", "10.96.0.2"),
      /^cannot give the container the address 10\.96\.0\.2: container 'web' has it/,
    ],
    [
      "the pool",
      exec(...small),
      /^cannot give the container an address: every address of 10\.96\.0\.0\/30 is in use; stop a container/,
    ],
    [
      "the bridge",
      exec("--subnet", "10.97.0.0/24"),
      /^cannot use the bridge hpk-bridge: .*stop the containers on it first/,
    ],
  ];
  for (const [what, args, says] of cases) {
    await t.step(what, async () => {
      const result = await hpk(host, args.map((word) => word === "IMAGE" ? base : word));
      assertOneLine(result, says);
      await eventuallySame(host, state);
    });
  }
  await hpk(host, ["instance", "stop", "web"], { check: true });
});

testIf({ name: "a missing program is reported with its package", needs }, async (t) => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  await host.sh(": > /run/absent; chmod 644 /run/absent");
  const cases: [string, string, RegExp][] = [
    [
      "apptainer",
      "$(command -v apptainer)",
      /^cannot find apptainer: it is not installed; install Apptainer 1\.2 or newer/,
    ],
    [
      "host-local",
      "/usr/lib/cni/host-local",
      /^cannot find host-local: it is not installed; .*containernetworking-plugins/,
    ],
    ["ip", "$(command -v ip)", /^cannot find ip: it is not installed; install iproute2/],
    [
      "iptables-save",
      "$(command -v iptables-save)",
      /^cannot find iptables-save: it is not installed; install iptables/,
    ],
  ];
  for (const [name, path, says] of cases) {
    await t.step(name, async () => {
      const state = await snapshot(host);
      // Mounting a non-executable file over the program makes it missing.
      const hidden = `mount -n --bind /run/absent $(readlink -f ${path})`;
      const call = `"$0" ${RUN.join(" ").replace("IMAGE", base)}`;
      const result = await host.run("unshare", [
        ...["-m", "--propagation", "private", "sh", "-c", `${hidden} && exec ${call}`],
        HPKTAINER,
      ], { check: false });
      assertOneLine(result, says);
      await eventuallySame(host, state);
    });
  }
});

testIf(
  { name: "programs that only OCI images need are not required elsewhere", needs },
  async () => {
    await using host = await PrivateHost.create();
    const { base } = await images();
    await host.sh(": > /run/absent; chmod 644 /run/absent");
    const hide = "for name in skopeo umoci crun conmon; do " +
      'path=$(readlink -f "$(command -v $name)") && mount -n --bind /run/absent "$path"; done; ' +
      "! command -v skopeo umoci crun conmon";
    const call = `"$0" ${RUN.join(" ").replace("IMAGE", base)}`;
    await host.run("unshare", [
      ...["-m", "--propagation", "private", "sh", "-c", `{ ${hide}; } && exec ${call}`],
      HPKTAINER,
    ]);
  },
);

testIf({ name: "an ordinary user is advised to use sudo", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const program = await programForUsers(host);
  const state = await snapshot(host);
  const args = ["--reuid", "65534", "--regid", "65534", "--clear-groups", program];
  const result = await host.run("setpriv", [
    ...args,
    ...RUN.map((word) => word === "IMAGE" ? base : word),
  ], { check: false });
  assertOneLine(
    result,
    /^cannot give the container a network of its own: that takes root, and you are uid 65534; run it with sudo, or with --network host$/,
  );
  // Only root may read the directory of stored containers.
  await host.sh("mkdir -p -m 700 /var/lib/hpktainer/containers");
  const commands: [command: string, code: number][] = [
    ["ls", 125],
    ["inspect web", 125],
    ["logs web", 125],
    ["prune", 125],
    ["start web", 1],
    ["stop web", 1],
    ["kill web", 1],
    ["rm web", 1],
    ["wait web", 1],
    ["exec web true", 125],
  ];
  for (const [command, code] of commands) {
    const words = ["container", ...command.split(" ")];
    const refused = await host.run("setpriv", [...args, ...words], { check: false });
    assertEquals([refused.code, refused.stderr, refused.stdout], [
      code,
      "hpktainer: cannot manage containers of OCI images: that takes root, and you are uid 65534; run it with sudo\n",
      "",
    ], command);
  }
  await host.sh("rm -r /var/lib/hpktainer");
  await eventuallySame(host, state);
});

function assertOneLine(
  { code, stdout, stderr }: { code: number; stdout: string; stderr: string },
  says: RegExp,
): void {
  assertEquals([code, stdout], [125, ""], stderr);
  assertMatch(stderr, /^hpktainer: [^\n]*\n$/);
  assertMatch(stderr.slice("hpktainer: ".length).trimEnd(), says);
}
