/** Names by number (linux/capability.h). */
const NAMES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
];

/**
 * The capabilities that the kernel knows but a process can never gain.
 *
 * @param status Contents of /proc/PID/status (proc_pid_status(5), CapBnd).
 * @param last Number of the last capability that the kernel knows (capabilities(7), cap_last_cap).
 * @return Names such as "CAP_SYS_RESOURCE".
 */
export function missingCapabilities(status: string, last: number): string[] {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (bounding === undefined) return [];
  const bits = BigInt(`0x${bounding}`);
  return NAMES.flatMap((name, number) =>
    number > last || ((bits >> BigInt(number)) & 1n) === 1n ? [] : [`CAP_${name}`]
  );
}

/**
 * The number of a capability.
 *
 * @param name Such as "CAP_NET_ADMIN".
 * @return Undefined if there is none of that name.
 */
export function capabilityNumber(name: string): number | undefined {
  const number = NAMES.findIndex((known) => `CAP_${known}` === name);
  return number === -1 ? undefined : number;
}

/** Names of all capabilities, such as "CAP_CHOWN", by number. */
export function allCapabilities(): string[] {
  return NAMES.map((name) => `CAP_${name}`);
}
