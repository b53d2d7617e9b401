import { assertEquals } from "@std/assert";
import type { ContainerNetwork } from "../../../attach/pure/container_network.ts";
import {
  apptainerEnvironment,
  commandInNamespace,
  commandWithoutNetwork,
} from "./apptainer_command.ts";
import { type ContainerInvocation, readArguments } from "../../../arguments/arguments.ts";

const NETWORK: ContainerNetwork = {
  namespacePath: "/run/netns/hpk-0",
  hostname: "web",
  resolvConf: "/f/resolv.conf",
  hosts: "/f/hosts",
  pidFile: "/f/pid",
  address: "10.96.0.2/24",
  gateway: "10.96.0.1",
  address6: undefined,
  gateway6: undefined,
  relay: undefined,
};

const invocation = (line: string) => readArguments(line.split(" ")) as ContainerInvocation;

/** Arguments for Apptainer besides the user's. */
const BINDS = "--bind /f/resolv.conf:/etc/resolv.conf --bind /f/hosts:/etc/hosts";
const OURS = `--netns-path /run/netns/hpk-0 ${BINDS}`;

Deno.test("commandInNamespace() adds ours after the user's options and before the image", () => {
  const cases: [string, string][] = [
    ["run x", `run ${OURS} --hostname web x`],
    [
      "-d exec --ip 10.96.0.2 -e --bind /a x ls --name y",
      `-d exec -e --bind /a ${OURS} --hostname web x ls --name y`,
    ],
    ["shell --net --hostname h x", `shell --hostname h ${OURS} x`],
    [
      "instance start --dns 192.0.2.1 x web a",
      `instance start ${OURS} --hostname web --pid-file /f/pid x web a`,
    ],
    ["instance run --pid-file /p x web", `instance run --pid-file /p ${OURS} --hostname web x web`],
  ];
  for (const [line, expected] of cases) {
    assertEquals(commandInNamespace(invocation(line), NETWORK), expected.split(" "), line);
  }
});

Deno.test("commandWithoutNetwork() uses the host's network, or Apptainer's empty one", () => {
  const cases: [string, "host" | "none", string][] = [
    ["-d exec --network host -e x ls", "host", "-d exec -e x ls"],
    ["exec --network none -e x ls", "none", "exec --net --network none -e x ls"],
    ["exec --network none --net x ls", "none", "exec --net --network none x ls"],
    ["instance start --network host x web", "host", "instance start x web"],
  ];
  for (const [line, mode, expected] of cases) {
    assertEquals(commandWithoutNetwork(invocation(line), mode), expected.split(" "), line);
  }
});

Deno.test("apptainerEnvironment() passes the address and the gateway to the container", () => {
  assertEquals(apptainerEnvironment(NETWORK), {
    APPTAINERENV_HPK_IP: "10.96.0.2/24",
    APPTAINERENV_HPK_GATEWAY_IP: "10.96.0.1",
  });
});

Deno.test("a container that creates its own interface gets its own socket, and no other", () => {
  const relay = {
    directory: "/d/links/0",
    socket: "/d/links/0/relay.sock",
    mac: "0a:58:0a:60:00:02",
    mtu: 1450,
  };
  const network = { ...NETWORK, relay };
  assertEquals(
    commandInNamespace(invocation("run x"), network),
    `run ${OURS} --bind /d/links/0:/d/links/0 --hostname web x`.split(" "),
  );
  assertEquals(apptainerEnvironment(network), {
    APPTAINERENV_HPK_IP: "10.96.0.2/24",
    APPTAINERENV_HPK_GATEWAY_IP: "10.96.0.1",
    APPTAINERENV_HPK_SOCKET_PATH: "/d/links/0/relay.sock",
    APPTAINERENV_HPK_MAC: "0a:58:0a:60:00:02",
    APPTAINERENV_HPK_MTU: "1450",
  });
});
