/** Kernel modules, on a host whose kernel has loadable ones: a fixture, since a module cannot be loaded for one host alone. */
import { assert, assertEquals } from "@std/assert";
import { testIf } from "../harness/mod.ts";
import { freshHost, needs, setup, setupJson } from "./_host_setup.ts";

/** A kernel with veth built in, the others to be loaded, and no iptable_*. */
const FIXTURE = `
kernel=/lib/modules/$(uname -r)
mkdir -p $kernel
echo kernel/drivers/net/veth.ko > $kernel/modules.builtin
for name in bridge tun nf_conntrack nf_tables nft_compat; do echo "kernel/net/$name.ko.xz:"; done > $kernel/modules.dep
mount -t tmpfs modules /sys/module
cat > /usr/local/sbin/modprobe <<'END'
#!/bin/sh
echo "$@" >> /run/modprobe
mkdir /sys/module/$2
END
chmod 755 /usr/local/sbin/modprobe
`;

testIf({
  name: "host-setup: the kernel's loadable modules are loaded, now and at boot (fixture)",
  needs,
}, async () => {
  await using fresh = await freshHost(["/usr"]);
  const { host } = fresh;
  await host.sh(FIXTURE);
  const { changes } = await setupJson(host, ["--apply"]);
  const modules = changes.filter(({ kind }) => kind === "module").map(({ id }) => id);
  assertEquals(modules, ["bridge", "tun", "nf_conntrack", "nf_tables", "nft_compat"]);
  assertEquals(
    (await host.sh("cat /run/modprobe")).stdout,
    modules.map((name) => `-- ${name}\n`).join(""),
  );
  const { stdout } = await host.sh("cat /etc/modules-load.d/hpktainer.conf");
  for (const name of modules) assert(stdout.includes(`\n${name}\n`), stdout);
  assertEquals(stdout.includes("veth"), false, "it is built in");
  assertEquals((await setup(host, ["--check"])).code, 0);
  const { left } = await setupJson(host, ["--undo"]);
  assertEquals(left.map(({ kind, later }) => [kind, later]), modules.map(() => ["module", false]));
  assertEquals((await host.sh("ls /etc/modules-load.d")).stdout.includes("hpktainer"), false);
});

testIf(
  { name: "host-setup: a missing device node is created, and removed by undo", needs },
  async () => {
    await using fresh = await freshHost();
    const { host } = fresh;
    await host.sh("mount -t tmpfs dev /dev/net");
    const { changes } = await setupJson(host, ["--apply"]);
    assert(changes.some(({ id }) => id === "/dev/net/tun"));
    assertEquals(
      (await host.sh("stat -c '%F %t:%T %a' /dev/net/tun")).stdout,
      "character special file a:c8 666\n",
    );
    assertEquals((await setup(host, ["--check"])).code, 0);
    await setupJson(host, ["--undo"]);
    assertEquals((await host.sh("ls /dev/net")).stdout, "");
  },
);
