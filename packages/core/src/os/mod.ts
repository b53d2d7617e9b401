/**
 * Access to the operating system: programs, files, processes, links, packet filter, ledger.
 *
 * @module
 */
export * from "./automatic_network.ts";
export * from "./bounded_log.ts";
export * from "./capabilities.ts";
export * from "./cgroup.ts";
export * from "./command.ts";
export * from "./fault_point.ts";
export * from "./files.ts";
export * from "./iproute.ts";
export * from "./iptables.ts";
export * from "./ledger.ts";
export * from "./links.ts";
export * from "./log.ts";
export * from "./process.ts";
export * from "./programs.ts";
export * from "./relay_client.ts";
export * from "./sysctl.ts";
