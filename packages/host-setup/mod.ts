/**
 * host-setup: makes a host ready for containers.
 *
 * @module
 */
export { main } from "./src/cli/main.ts";
