import type { ContainerInvocation } from "../../../arguments/arguments.ts";
import {
  type ContainerNetwork,
  environmentFor,
  type NetworkAddresses,
} from "../../../attach/pure/container_network.ts";

/**
 * Arguments for Apptainer to start a container in a ready network namespace. Ours stand behind the
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
 * Arguments for Apptainer to start a container without a network of ours: in the host's, or in an
 * empty one.
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
 * Variables for Apptainer that carry the network into the container. Apptainer hands on what is
 * prefixed so, also with --cleanenv, and the image's own value does not win.
 */
export function apptainerEnvironment(network: NetworkAddresses): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environmentFor(network)).map(([name, value]) => [`APPTAINERENV_${name}`, value]),
  );
}
