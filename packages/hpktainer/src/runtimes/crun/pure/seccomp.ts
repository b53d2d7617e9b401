/**
 * The seccomp filter. It is a deny list of calls by the capability that the kernel requires for
 * them anyway: a second line of defence, which also holds in namespaces that a process creates
 * itself. An allow list, as in other runtimes, must follow every kernel and every libc: a call that
 * it does not know yet fails under last year's runtime. What MPI and numactl use (process_vm_readv,
 * mbind) stays allowed: the kernel itself checks it.
 */

/** System calls that need a capability in the host's user namespace (see their man pages). */
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

/**
 * Calls that a container does not need: keys are not namespaced, the rest is obsolete or faulty.
 */
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

/**
 * Flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, PID, network
 * (linux/sched.h).
 */
const CLONE_NAMESPACES = 0x7e020000;

/** Error numbers (asm-generic/errno-base.h, errno.h). */
const EPERM = 1;
const ENOSYS = 38;

/**
 * Architectures of the OCI specification by Deno's name, with those whose programs also run there.
 */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/** A seccomp filter (OCI runtime specification, config-linux.md, Seccomp). */
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
 * @param capabilities Its capabilities: the calls that need them are allowed.
 * @param arch The architecture, as named by Deno.
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
      // Refused if any of the flags is set: one rule each, as the rules of a call are alternatives.
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
      // Its flags are in memory, where a filter cannot read them: libc falls back to clone.
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
