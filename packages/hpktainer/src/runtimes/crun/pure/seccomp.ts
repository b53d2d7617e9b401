/**
 * The filter of system calls. A list of what is refused, by the capability that the kernel asks for
 * anyway: it is a second wall before the same doors, also in namespaces that a process makes itself.
 * A list of what is allowed, as other runtimes have it, must follow every kernel and every libc: a
 * call that it does not know yet fails in a container of last year's runtime. What MPI and numactl
 * use (process_vm_readv, mbind) stays allowed: the kernel itself checks it.
 */

/** System calls that need a capability of the host's (their man pages; security(7) of each). */
const GUARDED: Readonly<Record<string, readonly string[]>> = {
  CAP_SYS_ADMIN: [
    "bpf",
    "fanotify_init",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "quotactl",
    "quotactl_fd",
    "setdomainname",
    "sethostname",
    "setns",
    "swapoff",
    "swapon",
    "umount",
    "umount2",
    "unshare",
  ],
  CAP_SYS_BOOT: ["kexec_file_load", "kexec_load", "reboot"],
  CAP_SYS_MODULE: ["create_module", "delete_module", "finit_module", "init_module", "query_module"],
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_RAWIO: ["ioperm", "iopl"],
  CAP_SYS_TIME: ["clock_adjtime", "clock_settime", "settimeofday", "stime"],
  CAP_SYS_TTY_CONFIG: ["vhangup"],
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_SYSLOG: ["syslog"],
};

/** Calls that nothing in a container needs: keys are not in a namespace, the rest is of old or faulty use. */
const ALWAYS_REFUSED = [
  "add_key",
  "get_kernel_syms",
  "io_uring_enter",
  "io_uring_register",
  "io_uring_setup",
  "keyctl",
  "nfsservctl",
  "request_key",
  "sysfs",
  "_sysctl",
  "uselib",
  "userfaultfd",
  "ustat",
  "vm86",
  "vm86old",
];

/** Flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, PID, network (linux/sched.h). */
const CLONE_NAMESPACES = 0x7e020000;

/** Error numbers (asm-generic/errno-base.h, errno.h). */
const EPERM = 1;
const ENOSYS = 38;

/** Machine names of the OCI specification by Deno's, with those whose programs run there too. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/** A filter of system calls (OCI runtime specification, config-linux.md, Seccomp). */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number;
      readonly valueTwo?: number;
      readonly op: string;
    }[];
  }[];
}

/**
 * The filter for a container.
 *
 * @param capabilities What it may do: the calls that need these are allowed.
 * @param arch The machine, as Deno names it.
 */
export function seccompProfile(capabilities: readonly string[], arch: string): SeccompProfile {
  const guarded = Object.entries(GUARDED).flatMap(([capability, names]) =>
    capabilities.includes(capability) ? [] : names
  );
  const refuse = (names: readonly string[]) => ({
    names,
    action: "SCMP_ACT_ERRNO",
    errnoRet: EPERM,
  });
  const namespaces = capabilities.includes("CAP_SYS_ADMIN") ? [] : [
    {
      ...refuse(["clone"]),
      // Refused where any of the flags is set: one rule each, as rules of a call are alternatives.
      flags: CLONE_NAMESPACES,
    },
  ];
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ARCHITECTURES[arch] ?? [],
    syscalls: [
      refuse([...ALWAYS_REFUSED, ...guarded].sort()),
      ...namespaces.flatMap(({ flags, ...rule }) =>
        bitsOf(flags).map((bit) => ({
          ...rule,
          args: [{ index: 0, value: bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ" }],
        }))
      ),
      // Its flags are in memory, out of a filter's sight: libc falls back to clone.
      ...(namespaces.length === 0 ? [] : [{
        names: ["clone3"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: ENOSYS,
      }]),
    ],
  };
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
}
