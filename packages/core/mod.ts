/**
 * The typed core that the tools share: pure domain logic. Code that touches the operating system is
 * in "@hpk/core/os", and calls of the C library are in "@hpk/core/ffi".
 *
 * @module
 */
export * from "./src/model/automatic_network.ts";
export * from "./src/model/boot_masks.ts";
export * from "./src/model/boot_settings.ts";
export * from "./src/model/capabilities.ts";
export * from "./src/model/cgroup_mounts.ts";
export * from "./src/model/errors.ts";
export * from "./src/model/firewall.ts";
export * from "./src/model/flannel_env.ts";
export * from "./src/model/host_facts.ts";
export * from "./src/model/host_facts6.ts";
export * from "./src/model/host_ini.ts";
export * from "./src/model/host_state.ts";
export * from "./src/model/ini_lines.ts";
export * from "./src/model/ip_text.ts";
export * from "./src/model/ipv4.ts";
export * from "./src/model/ipv6.ts";
export * from "./src/model/ledger_record.ts";
export * from "./src/model/log_line.ts";
export * from "./src/model/name_server.ts";
export * from "./src/model/names.ts";
export * from "./src/model/published_port.ts";
export * from "./src/model/relay_control.ts";
export * from "./src/model/resolver.ts";
export * from "./src/model/semver.ts";
export * from "./src/model/settings.ts";
export * from "./src/model/settings_table.ts";
