/**
 * hpk-net-daemon: relays Ethernet frames between TAP devices.
 *
 * @module
 */
export { main } from "./src/cli/dispatch.ts";
