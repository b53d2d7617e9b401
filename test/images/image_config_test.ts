/**
 * A container runs as its image specifies, unless the user overrides it; and its image stays with
 * it.
 *
 *   [ host ] hpktainer run ── crun ── an overlay over /var/lib/hpktainer/images/trees/…/rootfs
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { debianMachine, OciFixture, ociImages, type PrivateHost, testIf } from "../harness/mod.ts";
import { container, crunHost, crunNeeds, ok, run } from "../harness/crun.ts";
import { assertRefused, image, images, stored, treeOf } from "./_images.ts";

/** What a container prints; it has to succeed. */
async function says(host: PrivateHost, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(host, args);
  assertEquals(code, 0, stderr);
  return stdout;
}

testIf(
  { name: "a container runs as its image specifies, unless options override it", needs: crunNeeds },
  async (t) => {
    const { features } = await ociImages();
    await using host = await crunHost();
    await ok(host, ["image", "pull", "--quiet", features]);
    await t.step("user, environment, entrypoint, command and directory", async () => {
      assertEquals(await says(host, features), "hello world from 1000 in /srv/app\n");
    });
    await t.step("arguments replace the command", async () => {
      assertEquals(await says(host, features, "id -u; id -g; id -G"), "1000\n1000\n1000 44\n");
    });
    await t.step("an entrypoint replaces both", async () => {
      assertEquals(await says(host, "--entrypoint", "pwd", features), "/srv/app\n");
      assertEquals(await says(host, "--entrypoint", "", features, "echo", "none"), "none\n");
    });
    await t.step("user, directory and environment of the command line win", async () => {
      const script = "echo $GREETING $(id -u) $PWD $HOME";
      const options = ["-u", "0", "-w", "/tmp", "-e", "GREETING=hi"];
      assertEquals(await says(host, ...options, features, script), "hi 0 /tmp /root\n");
      assertEquals(await says(host, "-u", "nobody", features, "id -un"), "nobody\n");
    });
    await t.step("a file of the image, and a removed one", async () => {
      assertEquals(
        await says(host, features, "./run; ls -d /srv/gone || echo gone"),
        "ran\ngone\n",
      );
    });
    await t.step(
      "its volume has what the image has there, and belongs to the container",
      async () => {
        const script =
          "cat /data/seed; echo more > /data/more; ls /data; grep -c ' /data ' /proc/mounts";
        for (let run = 0; run < 2; run++) {
          assertEquals(await says(host, features, script), "of the image\nmore\nseed\n1\n");
        }
      },
    );
    await t.step("its stop signal stops it", async () => {
      const script = "trap 'echo interrupted; exit 7' INT; echo up; while :; do sleep 0.1; done";
      const id = (await says(host, "-d", features, script)).trim();
      await ok(host, ["container", "stop", id]);
      assertEquals((await container(host, ["wait", id])).stdout, "7\n");
      assertStringIncludes((await container(host, ["logs", id])).stdout, "interrupted");
      await ok(host, ["container", "rm", id]);
    });
    await t.step("its files are never written to", async () => {
      const tree = await treeOf(host, features);
      const before = Deno.statSync(`${tree}/srv/app`).mtime;
      await says(host, features, "echo x > /srv/app/new; rm /srv/app/run; chmod 700 /srv/app");
      assertEquals(Deno.statSync(`${tree}/srv/app`).mtime, before);
      assertEquals(Deno.statSync(`${tree}/srv/app/run`).mode! & 0o777, 0o755);
    });
  },
);

testIf({ name: "an image needs nothing in it but its program", needs: crunNeeds }, async (t) => {
  await using host = await crunHost();
  using fixture = new OciFixture();
  const { busybox } = await ociImages();
  const tree = await treeOf(host, busybox);
  const program = Deno.readFileSync(`${tree}/bin/busybox`);
  const bare = fixture.add("bare", {
    layers: [[{ path: "busybox", data: program, mode: 0o755 }]],
    config: { Entrypoint: ["/busybox"], WorkingDir: "/made/for/it" },
  });
  await t.step("no /etc/passwd, no directories, no shell", async () => {
    assertEquals(await says(host, bare, "pwd"), "/made/for/it\n");
    assertMatch(await says(host, bare, "cat", "/etc/passwd"), /^root:x:0:0:/);
    assertMatch(await says(host, bare, "id"), /^uid=0\S* gid=0/);
    assertMatch(await says(host, bare, "ip", "-4", "-o", "address", "show", "eth0"), /10\.96\.0\./);
    assertMatch(await says(host, "-u", "1234:99", bare, "id"), /^uid=1234\S* gid=99/);
  });
  await t.step("an unknown user is reported", async () => {
    const result = await run(host, ["-u", "ghost", bare, "id"]);
    assertRefused(result, /ghost/);
  });
  await t.step("none, where it has no command either", async () => {
    const mute = fixture.add("mute", {
      layers: [[{ path: "busybox", data: program, mode: 0o755 }]],
    });
    assertRefused(await run(host, [mute]), /command/);
  });
});

testIf({
  name: "a Debian image runs its own programs, and keeps what they write to the container",
  needs: [...crunNeeds, debianMachine],
}, async () => {
  const { debian } = await ociImages();
  await using host = await crunHost();
  const script =
    "dpkg -s bash | grep ^Status; echo $BASH_VERSION; touch /usr/bin/new; ls /usr/bin/new";
  const lines = (await says(host, debian!, "bash", "-c", script)).trim().split("\n");
  assertEquals([lines[0], lines[2]], ["Status: install ok installed", "/usr/bin/new"]);
  const { code } = await run(host, [debian!, "ls", "/usr/bin/new"]);
  assertEquals(code, 2);
});

testIf({ name: "an image stays as long as a container of it", needs: crunNeeds }, async () => {
  const { busybox, sibling } = await ociImages();
  await using host = await crunHost();
  const id = (await says(host, "-d", "--name", "web", busybox, "sleep", "3600")).trim();
  assertEquals((await images(host)).map(({ usedBy }) => usedBy), [["web"]]);
  assertRefused(await image(host, ["rm", busybox]), /the container 'web' uses it/);
  await ok(host, ["image", "prune", "--all", "--force"]);
  await ok(host, ["image", "rm", "--force", busybox]);
  assertEquals(await images(host), []);
  await ok(host, ["gc"]);
  assertEquals((await container(host, ["exec", id, "echo", "alive"])).stdout, "alive\n");
  await ok(host, ["container", "rm", "--force", id]);
  // The next process that uses the store cleans it up.
  await ok(host, ["image", "pull", "--quiet", sibling]);
  const left = stored(host).filter((path) => /^(trees|leases)\//.test(path));
  assert(left.length === 1 && left[0]!.startsWith("trees/"), left.join());
});
