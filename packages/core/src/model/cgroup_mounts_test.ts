import { assertEquals } from "@std/assert";
import { parseCgroupMounts } from "./cgroup_mounts.ts";

Deno.test("finds the hierarchies of a hybrid host", () => {
  const mountinfo = `30 24 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 30 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
33 30 0:29 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
`;
  assertEquals(
    parseCgroupMounts(mountinfo).map(({ path, version, hasCpuset }) => [path, version, hasCpuset]),
    [
      ["/sys/fs/cgroup/unified", 2, false],
      ["/sys/fs/cgroup/systemd", 1, false],
      ["/sys/fs/cgroup/cpuset", 1, true],
      ["/sys/fs/cgroup/cpu,cpuacct", 1, false],
    ],
  );
});

Deno.test("finds the one hierarchy of version 2, mounted twice, at an odd path", () => {
  const line = "31 30 0:27 / /odd\\040path rw - cgroup2 none rw";
  const expected = [{ path: "/odd path", version: 2 as const, hasCpuset: false }];
  assertEquals(parseCgroupMounts(`${line}\n${line}\n`), expected);
  assertEquals(parseCgroupMounts("24 1 0:5 / / rw - ext4 /dev/vda rw\n"), []);
});
