import type { ContainerInvocation } from "../../../arguments/arguments.ts";
import {
  type ContainerNetwork,
  environmentFor,
  type NetworkAddresses,
} from "../../../attach/pure/container_network.ts";

/**
 * Arguments for Apptainer to start a container in an existing network namespace. Ours follow the
 * user's: of two binds over the same file Apptainer makes the first, so that the user's wins.
 */
export function commandInNamespace(
  invocation: ContainerInvocation,
  network: ContainerNetwork,
): string[] {
  const isInstance = invocation.verb.startsWith("instance");
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...invocation.options,
    "--netns-path",
    network.namespacePath,
    "--bind",
    `${network.resolvConf}:/etc/resolv.conf`,
    "--bind",
    `${network.hosts}:/etc/hosts`,
    ...(network.relay === undefined
      ? []
      : ["--bind", `${network.relay.directory}:${network.relay.directory}`]),
    ...(invocation.hostname === undefined ? ["--hostname", network.hostname] : []),
    ...(isInstance && invocation.pidFile === undefined ? ["--pid-file", network.pidFile] : []),
    invocation.image,
    ...invocation.rest,
  ];
}

/**
 * Arguments for Apptainer to start a container without our network: in the host's, or in an empty
 * one.
 */
export function commandWithoutNetwork(
  invocation: ContainerInvocation,
  mode: "host" | "none",
): string[] {
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...(mode === "none" ? ["--net", "--network", "none"] : []),
    ...invocation.options,
    invocation.image,
    ...invocation.rest,
  ];
}

/**
 * Variables for Apptainer that describe the network to the container. Apptainer passes on variables
 * with this prefix, even with --cleanenv, and they override the image's.
 */
export function apptainerEnvironment(network: NetworkAddresses): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environmentFor(network)).map(([name, value]) => [`APPTAINERENV_${name}`, value]),
  );
}
