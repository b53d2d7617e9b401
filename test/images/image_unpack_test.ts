/**
 * An image's files are as in its layers, and nothing in a layer can change files outside its tree.
 *
 *   [ host ] hpktainer image pull ── skopeo ── a layout of the test's own
 *                  └─ umoci ── /var/lib/hpktainer/images/trees/…/rootfs
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  debianMachine,
  diffSnapshots,
  OciFixture,
  ociImages,
  PrivateHost,
  snapshot,
  type TarEntry,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER } from "../harness/hpktainer.ts";
import { assertRefused, image, imageNeeds, pull, STORE, stored, treeOf } from "./_images.ts";

/** Mode, owner and group of a file, by stat(1). */
const statOf = (path: string) => {
  const { mode, uid, gid } = Deno.lstatSync(path);
  return [(mode! & 0o7777).toString(8), uid, gid];
};

const exists = (path: string) => {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
};

testIf(
  { name: "a tree has the content of its layers, whatever the umask", needs: imageNeeds },
  async (t) => {
    const { features } = await ociImages();
    await using host = await PrivateHost.create();
    await host.sh(`umask 077; '${HPKTAINER}' image pull -q ${features}`, { timeoutMs: 60_000 });
    const tree = await treeOf(host, features);
    await t.step("owners and modes", () => {
      assertEquals(statOf(tree), ["755", 0, 0]);
      assertEquals(statOf(`${tree}/srv/app`), ["750", 1000, 1000]);
      assertEquals(statOf(`${tree}/srv/app/run`), ["755", 1000, 1000]);
      assertEquals(statOf(`${tree}/srv/setuid`), ["4755", 1000, 44]);
      assertEquals(statOf(`${tree}/tmp`), ["1777", 0, 0]);
    });
    await t.step("links, pipes and devices", () => {
      assertEquals(Deno.readLinkSync(`${tree}/bin/sh`), "busybox");
      const [one, same] = ["run", "same"].map((name) => Deno.lstatSync(`${tree}/srv/app/${name}`));
      assertEquals(one!.ino, same!.ino);
      assert(Deno.lstatSync(`${tree}/srv/pipe`).isFifo);
      assertEquals(Deno.lstatSync(`${tree}/srv/null`).rdev, 0x103);
    });
    await t.step("what a layer removes is gone", () => {
      for (const gone of ["srv/gone", "srv/tree", "srv/opaque/lower"]) {
        assert(!exists(`${tree}/${gone}`), gone);
      }
      assertEquals([...Deno.readDirSync(`${tree}/srv/opaque`)].map(({ name }) => name), ["upper"]);
      assertEquals(Deno.readTextFileSync(`${tree}/srv/becomes`), "a file now\n");
    });
    await t.step("only root can read the store", async () => {
      const args = ["--reuid=65534", "--clear-groups", "ls", STORE];
      const { code } = await host.run("setpriv", args, { check: false });
      assertEquals(code, 2);
    });
  },
);

/** What a hostile layer may try to change outside: paths in the host, before and after. */
const VICTIMS = ["/etc/victim", "/run/victim/file", `${STORE}/victim`];

/** More steps up than the store is deep. */
const UP = "../../../../../../../../../..";
/** Ways out of a tree, each as the entries of layers. Hard links cannot cross file systems. */
const ESCAPES: Record<string, TarEntry[][]> = {
  "a path with ..": [[
    { path: `${UP}/run/victim/file`, data: "owned" },
    { path: `a/${UP}/etc/victim`, data: "owned" },
  ]],
  "an absolute path": [[{ path: "/run/victim/file", data: "owned" }]],
  "an absolute symbolic link to a directory": [[
    { path: "way", type: "symlink", link: "/run/victim" },
    { path: "way/file", data: "owned" },
    { path: "way/new", data: "owned" },
  ]],
  "a relative symbolic link to a directory": [[
    { path: "way", type: "symlink", link: `${UP}/run/victim` },
    { path: "way/file", data: "owned" },
  ]],
  "a symbolic link that is written through": [[
    { path: "way", type: "symlink", link: "/etc/victim" },
    { path: "way", data: "owned" },
  ]],
  "a symbolic link of a lower layer": [
    [{ path: "way", type: "symlink", link: "/run/victim" }],
    [{ path: "way/file", data: "owned" }],
  ],
  "symbolic links in a chain": [[
    { path: "one", type: "symlink", link: ".." },
    { path: "two", type: "symlink", link: `one/${UP}/run` },
    { path: "two/victim/file", data: "owned" },
  ]],
  "a hard link to a file outside": [[
    { path: "way", type: "hardlink", link: `${UP}${STORE}/victim` },
    { path: "way", data: "owned" },
  ]],
  "a hard link by an absolute path": [[
    { path: "way", type: "hardlink", link: `${STORE}/victim` },
    { path: "way", data: "owned" },
  ]],
  "a hard link through a symbolic link": [
    [{ path: "dir", type: "symlink", link: STORE }],
    [{ path: "way", type: "hardlink", link: "dir/victim" }, { path: "way", data: "owned" }],
  ],
  "a whiteout with ..": [[{ path: `${UP}/run/victim/.wh.file` }]],
  "a whiteout through a symbolic link": [
    [{ path: "way", type: "symlink", link: "/run/victim" }],
    [{ path: "way/.wh.file" }],
  ],
  "a whiteout of ..": [[{ path: "a", type: "directory" }], [{ path: "a/.wh..." }, {
    path: ".wh...",
  }]],
  "an opaque whiteout through a symbolic link": [
    [{ path: "way", type: "symlink", link: "/run/victim" }],
    [{ path: "way/.wh..wh..opq" }],
  ],
  "the root as a symbolic link": [[
    { path: ".", type: "symlink", link: "/run/victim" },
    { path: "file", data: "owned" },
  ]],
  "an owner and a mode through a symbolic link": [[
    { path: "way", type: "symlink", link: "/run/victim" },
    { path: "way/", type: "directory", mode: 0o777, uid: 1000 },
  ]],
};

testIf(
  { name: "a hostile image writes nothing outside of its tree", needs: imageNeeds },
  async (t) => {
    await using host = await PrivateHost.create();
    const look = async () =>
      (await host.sh(
        `stat -c '%n %A %u %g %h %s %Y' /run/victim /run/victim/* ${VICTIMS.join(" ")}; cat ${
          VICTIMS.join(" ")
        }; ls -A / /etc /run | sort`,
        { check: false },
      )).stdout;
    for (const [name, layers] of Object.entries(ESCAPES)) {
      await t.step(name, async () => {
        await host.sh(
          `rm -rf /run/victim; mkdir -p /run/victim ${STORE}
           for file in ${
            VICTIMS.join(" ")
          }; do rm -f $file; echo safe > $file; chmod 600 $file; done`,
        );
        const before = await look();
        using fixture = new OciFixture();
        const hostile = fixture.add("hostile", { layers });
        const { code, stderr } = await image(host, ["pull", hostile]);
        assertEquals(await look(), before, "something outside has changed");
        if (code !== 0) {
          assertEquals(code, 125, stderr);
          assertMatch(stderr, /cannot unpack the image/);
        } else await image(host, ["rm", hostile], { check: true });
      });
    }
    await t.step("and nothing is left of it", async () => {
      await host.sh(`rm ${STORE}/victim`);
      assertEquals(stored(host), []);
    });
  },
);

testIf(
  { name: "a layer that does not match its image is refused", needs: imageNeeds },
  async (t) => {
    await using host = await PrivateHost.create();
    using fixture = new OciFixture();
    const layers = [[{ path: "file", data: "1" }]];
    const zeros = `sha256:${"0".repeat(64)}`;
    await t.step("with other contents", async () => {
      const name = fixture.add("contents", { layers, diffIds: [zeros] });
      assertRefused(await image(host, ["pull", name]), /cannot unpack the image/);
    });
    await t.step("with another number of layers", async () => {
      const name = fixture.add("number", { layers, diffIds: [] });
      assertRefused(await image(host, ["pull", name]), /cannot unpack the image/);
    });
    await t.step("with a damaged file", async () => {
      const name = fixture.add("damaged", { layers: [[{ path: "other", data: "2" }]] });
      const { layout } = fixture;
      const { manifests } = JSON.parse(Deno.readTextFileSync(`${layout}/index.json`));
      const blob = (digest: string) => `${layout}/blobs/${digest.replace(":", "/")}`;
      const manifest = JSON.parse(Deno.readTextFileSync(blob(manifests.at(-1).digest)));
      const bytes = Deno.readFileSync(blob(manifest.layers[0].digest));
      bytes[bytes.length - 6]! ^= 1;
      Deno.writeFileSync(blob(manifest.layers[0].digest), bytes);
      assertRefused(await image(host, ["pull", name]), /digest/i);
    });
    await t.step("and nothing is left of it", () => assertEquals(stored(host), []));
  },
);

testIf({
  name: "Debian's own files work as an image, and only the store changes on the host",
  needs: [...imageNeeds, debianMachine],
}, async () => {
  const { debian } = await ociImages();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await pull(host, debian!);
  const tree = await treeOf(host, debian!);
  const inside = tree.replace(host.root, "");
  const { stdout } = await host.run("chroot", [inside, "bash", "-c", "dpkg -l bash | tail -1"]);
  assertMatch(stdout, /^ii +bash /);
  await image(host, ["prune", "--all", "--force"], { check: true });
  assertEquals(stored(host), []);
  await host.sh("rm -r /var/lib/hpktainer");
  // skopeo keeps its own cache of where it has seen which layer.
  const isSkopeos = (line: string) => line.includes(" /var/lib/containers");
  assertEquals(diffSnapshots(before, await snapshot(host)).filter((line) => !isSkopeos(line)), []);
});
