/**
 * The harness of the end-to-end tests: private hosts and networks made of namespaces, snapshots of their state, images, and helpers.
 */
export * from "./apptainer_env.ts";
export { Background, type SpawnOptions, type WaitForOptions } from "./background.ts";
export * from "./eventually.ts";
export * from "./images.ts";
export * from "./internet.ts";
export * from "./iperf.ts";
export * from "./link_ready.ts";
export * from "./oci_images.ts";
export type { OciImage } from "./oci_layout.ts";
export { ARCHITECTURE } from "./oci_layout.ts";
export * from "./place.ts";
export * from "./private_host.ts";
export * from "./pty.ts";
export * from "./registry.ts";
export type { RunResult } from "./run_result.ts";
export * from "./skip.ts";
export * from "./snapshot.ts";
export * from "./snapshot_diff.ts";
export type { TarEntry } from "./tar_archive.ts";
