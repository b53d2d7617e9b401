/** The environment in which plain `apptainer` runs on this machine. */

/** Capability bits 0 to 40 by name, from linux/capability.h (Linux 5.9, the newest added). */
const CAPABILITIES =
  ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT " +
    "SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE " +
    "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ " +
    "PERFMON BPF CHECKPOINT_RESTORE").split(" ");

/**
 * Variables for a plain `apptainer` call by a test or a benchmark; the product determines this
 * itself. Apptainer as root requests every capability, and fails on a machine (a sandboxed CI)
 * whose root lacks one: those missing from the bounding set go into `APPTAINER_DROP_CAPS`. Empty on
 * an ordinary machine.
 */
export function apptainerEnv(): Record<string, string> {
  return dropCapsEnv(Deno.readTextFileSync("/proc/self/status"));
}

/** The same from the text of a `/proc/PID/status`. Throws when it has no CapBnd line. */
export function dropCapsEnv(status: string): Record<string, string> {
  const digits = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (digits === undefined) throw new Error("no CapBnd line in the process status");
  const bounding = BigInt(`0x${digits}`);
  const missing = CAPABILITIES.filter((_, bit) => !(bounding >> BigInt(bit) & 1n));
  return missing.length === 0
    ? {}
    : { APPTAINER_DROP_CAPS: missing.map((name) => `CAP_${name}`).join(",") };
}
