import { assert, assertEquals } from "@std/assert";
import { COMMON_SETTINGS, hostSettings } from "./boot_settings.ts";

const TREE: Record<string, string[]> = {
  "/proc/sys": ["fs", "kernel", "net", "vm"],
  "/proc/sys/fs": ["binfmt_misc", "file-max", "inotify", "nr_open"],
};
const list = (path: string) => TREE[path] ?? [];

Deno.test("settings are covered by directories, but for those of the network", () => {
  const mountinfo = "23 1 0:21 / /proc rw,nosuid - proc proc rw\n";
  assertEquals(hostSettings(list, mountinfo), ["/proc/sys/fs", "/proc/sys/kernel", "/proc/sys/vm"]);
});

Deno.test("an automount point, and what is mounted on it, is left out", () => {
  const autofs = "30 23 0:28 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=30\n";
  const mounted = "31 30 0:29 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw\n";
  for (const mountinfo of [autofs, autofs + mounted, mounted]) {
    assertEquals(hostSettings(list, mountinfo), [
      "/proc/sys/fs/file-max",
      "/proc/sys/fs/inotify",
      "/proc/sys/fs/nr_open",
      "/proc/sys/kernel",
      "/proc/sys/vm",
    ]);
  }
});

Deno.test("the common settings exist on this kernel", () => {
  for (const path of COMMON_SETTINGS) assert(Deno.statSync(path) !== undefined, path);
});
