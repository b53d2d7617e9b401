/**
 * Tests that need something of the machine are skipped with a reason if it is missing, and counted
 * as ignored by the test runner.
 */

const CNI_DIRS = [
  "/opt/cni/bin",
  "/usr/lib/cni",
  "/usr/libexec/cni",
  "/usr/libexec/apptainer/cni",
  "/usr/lib/x86_64-linux-gnu/apptainer/cni",
];

/** Something of the machine that a test needs. */
export interface Need {
  /** True if it is present. */
  ok: boolean;
  /** What is missing and what to do, for the message: `apptainer is not installed (run scripts/setup)`. */
  what: string;
}

/** A test that {@linkcode testIf} registers. */
export interface ConditionalTest {
  /** The test's name. */
  name: string;
  /** All must be met. */
  needs: readonly Need[];
}

/** Register a test; without all its needs it is ignored, and `SKIP name: reason` is printed on standard error. */
export function testIf(
  { name, needs }: ConditionalTest,
  fn: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = needs.filter((need) => !need.ok).map((need) => need.what);
  if (missing.length > 0) console.error(`SKIP ${name}: ${missing.join("; ")}`);
  Deno.test({ name, ignore: missing.length > 0, fn });
}

/** A need for a program in the path (or in the usual system directories). */
export function program(name: string): Need {
  return {
    ok: findProgram(name) !== undefined,
    what: `${name} is not installed (run scripts/setup)`,
  };
}

/** The path of a program, from `PATH` and the system directories; undefined if it is missing. */
export function findProgram(name: string): string | undefined {
  return firstFile([...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"], name);
}

/**
 * The path of a CNI plugin: `CNI_PATH`, then the directories of distributions and Apptainer;
 * undefined if it is missing.
 */
export function findCniPlugin(name: string): string | undefined {
  const own = (Deno.env.get("CNI_PATH") ?? "").split(":");
  return firstFile([...own, ...CNI_DIRS], name);
}

/** Root: namespaces with links in them cannot be made otherwise. */
export const root: Need = { ok: Deno.uid() === 0, what: "not root (run as root)" };
/** Apptainer. */
export const apptainer: Need = program("apptainer");
/** iproute2's `ip`. */
export const iproute2: Need = program("ip");
/** `iptables` with its save and restore programs. */
export const iptables: Need = program("iptables-restore");
/** `iperf3`. */
export const iperf3: Need = program("iperf3");
/** A busybox that needs no libraries: test images are made from it. */
export const busybox: Need = staticProgram("busybox", "busybox-static");
/** crun. */
export const crun: Need = program("crun");
/** The `host-local` CNI plugin. */
export const hostLocal: Need = {
  ok: findCniPlugin("host-local") !== undefined,
  what: "the CNI plugin host-local is not installed (run scripts/setup)",
};
/** The TUN/TAP device. */
export const tunDevice: Need = {
  ok: firstFile(["/dev/net"], "tun") !== undefined,
  what: "/dev/net/tun is missing (modprobe tun)",
};
/** What {@linkcode PrivateHost} itself needs. */
export const privateHosts: readonly Need[] = [
  root,
  iproute2,
  program("nsenter"),
  program("unshare"),
  program("bash"),
];

function staticProgram(name: string, packageName: string): Need {
  const path = findProgram(name);
  return {
    ok: path !== undefined && isStaticElf(Deno.readFileSync(path)),
    what: `a static ${name} is not installed (run scripts/setup, or install ${packageName})`,
  };
}

/** True for a little-endian 64-bit ELF file without PT_INTERP: the kernel starts it without a dynamic loader. Layout: elf(5). */
export function isStaticElf(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 64 || view.getUint32(0) !== 0x7f454c46 || file[4] !== 2) return false;
  const headers = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (headers + size * count > file.length) return false;
  const PT_INTERP = 3;
  for (let index = 0; index < count; index++) {
    if (view.getUint32(headers + index * size, true) === PT_INTERP) return false;
  }
  return true;
}

function firstFile(dirs: readonly string[], name: string): string | undefined {
  return dirs.filter((dir) => dir !== "").map((dir) => `${dir}/${name}`).find((path) => {
    try {
      return !Deno.statSync(path).isDirectory;
    } catch (error) {
      // PATH may name something that is not a directory, or one that this user may not read.
      const { NotFound, NotADirectory, PermissionDenied } = Deno.errors;
      if ([NotFound, NotADirectory, PermissionDenied].some((kind) => error instanceof kind)) {
        return false;
      }
      throw error;
    }
  });
}
