/**
 * hpktainer: gives any container an IP address of its own on the host's pod network.
 *
 * @module
 */
export { main } from "./src/cli/main.ts";
