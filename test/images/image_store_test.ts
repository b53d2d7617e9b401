/**
 * The store of images stays consistent: when several processes use it, when one is killed, when the
 * disk is full, and when an image is removed that a container uses.
 *
 *   [ host ] hpktainer image pull ×2 ── a skopeo that waits for a file ── skopeo ── layout
 *                  └─ /var/lib/hpktainer/images
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Background,
  eventually,
  OciFixture,
  ociImages,
  PrivateHost,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, PATIENT } from "../harness/hpktainer.ts";
import {
  assertRefused,
  image,
  imageNeeds,
  images,
  pull,
  STORE,
  stored,
  treeOf,
} from "./_images.ts";

/** A host whose skopeo in PATH waits for the file /run/go, and creates /run/waits when it waits. */
async function hostWithGate(): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await host.sh("mkdir /run/gate; cat > /run/gate/skopeo; chmod 755 /run/gate/skopeo", {
    stdin: `#!/bin/sh
echo $$ >> /run/waits
while [ ! -e /run/go ]; do sleep 0.02; done
exec /usr/bin/skopeo "$@"
`,
  });
  return host;
}

const GATED = { env: { PATH: "/run/gate:/usr/sbin:/usr/bin:/sbin:/bin" } };

/** Starts a pull that is held at the gate. */
async function gatedPull(host: PrivateHost, name: string): Promise<Background> {
  const pulling = await host.spawn(HPKTAINER, ["image", "pull", name], GATED);
  await eventually(() => exists(`${host.root}/run/waits`), { what: "a skopeo", ...PATIENT });
  return pulling;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

testIf(
  { name: "of two pulls of one image, one works and the other waits", needs: imageNeeds },
  async (t) => {
    const { busybox, sibling } = await ociImages();
    await using host = await hostWithGate();
    await using first = await gatedPull(host, busybox);
    await using second = await host.spawn(HPKTAINER, ["image", "pull", busybox], GATED);
    await second.waitFor(/waiting for another process to fetch it/, PATIENT);
    await t.step("other images can be used meanwhile", async () => {
      await pull(host, sibling);
      assertEquals((await images(host)).length, 1);
      await image(host, ["rm", sibling], { check: true });
      // Its files are removed once no process adds to the store.
      assertEquals((await images(host)).length, 0);
      assert(stored(host).some((path) => path.startsWith("trees/")));
      await image(host, ["prune", "--all", "--force"], { check: true });
    });
    await host.sh("touch /run/go");
    const [one, two] = await Promise.all([first.wait(PATIENT), second.wait(PATIENT)]);
    assertEquals([one.code, two.code], [0, 0], one.stderr + two.stderr);
    assertEquals(one.stdout, two.stdout);
    // One skopeo inspected, one fetched.
    assertEquals(Deno.readTextFileSync(`${host.root}/run/waits`).trim().split("\n").length, 2);
    assertEquals(stored(host).filter((path) => path.startsWith("trees/")).length, 1);
  },
);

testIf({ name: "many pulls of many images at once all succeed", needs: imageNeeds }, async () => {
  const { busybox, sibling, features } = await ociImages();
  await using host = await PrivateHost.create();
  const names = [busybox, sibling, features, busybox, sibling, features];
  const ids = await Promise.all(names.map((name) => pull(host, name)));
  assertEquals(new Set(ids).size, 3);
  assertEquals(ids.slice(0, 3), ids.slice(3));
  await Promise.all([
    pull(host, busybox),
    image(host, ["rm", sibling], { check: true }),
    image(host, ["rm", features], { check: true }),
  ]);
  assertEquals((await images(host)).map(({ reference }) => reference), [busybox]);
  assertEquals(await pull(host, sibling), ids[1]);
});

testIf({ name: "killing a pull kills its skopeo", needs: imageNeeds }, async (t) => {
  const { busybox } = await ociImages();
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    await t.step(signal, async () => {
      await using host = await hostWithGate();
      await using pulling = await gatedPull(host, busybox);
      const skopeo = Deno.readTextFileSync(`${host.root}/run/waits`).trim();
      assert(exists(`${host.root}/proc/${skopeo}`));
      pulling.signal(signal);
      assertEquals((await pulling.wait(PATIENT)).signal, signal);
      await eventually(() => !exists(`${host.root}/proc/${skopeo}`), {
        what: "the end of skopeo",
        ...PATIENT,
      });
      assertEquals((await hpk(host, ["gc"])).code, 0);
      assertEquals(stored(host), []);
    });
  }
});

/** Ways to recover from a pull that is killed at any step. */
const RECOVERIES: Record<string, (host: PrivateHost, name: string) => Promise<void>> = {
  "the next pull": async (host, name) => {
    await pull(host, name);
    assertEquals((await images(host)).map(({ reference }) => reference), [name]);
    await image(host, ["rm", name], { check: true });
  },
  "gc": async (host, name) => {
    assertEquals((await hpk(host, ["gc"])).code, 0);
    // It is there completely, or not at all.
    for (const { reference } of await images(host)) {
      assert(exists(`${await treeOf(host, reference)}/bin/busybox`));
      await image(host, ["rm", reference], { check: true });
    }
    await pull(host, name, ["--quiet"]);
    await image(host, ["rm", name], { check: true });
  },
};

/** Commands to kill: the arguments after `image`, and the preparation. */
const ACTS: Record<string, { words: (name: string) => string[]; begin?: "pulled" }> = {
  "pull": { words: (name) => ["pull", name] },
  "rm": { words: (name) => ["rm", name], begin: "pulled" },
};

testIf(
  { name: "a kill at any step of a pull or a removal is repaired", needs: imageNeeds },
  async (t) => {
    const { busybox } = await ociImages();
    await using host = await PrivateHost.create();
    for (const [act, { words, begin }] of Object.entries(ACTS)) {
      const start = async (env: Record<string, string>) => {
        if (begin === "pulled") await pull(host, busybox);
        return await image(host, words(busybox), { env });
      };
      assertEquals((await start({ HPK_FAULT_TRACE: `/run/${act}` })).code, 0);
      const trace = Deno.readTextFileSync(`${host.root}/run/${act}`).trimEnd().split("\n");
      const points = [...new Set(trace)];
      await image(host, ["rm", busybox]);
      assert(points.length >= (act === "pull" ? 9 : 2), points.join());
      for (const point of points) {
        for (const [recovery, recover] of Object.entries(RECOVERIES)) {
          await t.step(`${act} at ${point}, then ${recovery}`, async () => {
            assertEquals((await start({ HPK_FAULT_KILL: point })).code, 137);
            await recover(host, busybox);
            assertEquals(stored(host), []);
          });
        }
      }
    }
  },
);

testIf({
  name: "on a full disk a pull fails, reports it, and leaves the store as it was",
  needs: imageNeeds,
}, async (t) => {
  const { busybox, large } = await ociImages();
  using fixture = new OciFixture();
  // It is small until it is unpacked.
  const zeros = new Uint8Array(30_000_000);
  const flat = fixture.add("flat", { layers: [[{ path: "zeros", data: zeros }]] });
  await using host = await PrivateHost.create();
  await host.sh(`mkdir -p ${STORE}; mount -t tmpfs -o size=12m,mode=700 store ${STORE}`);
  const id = await pull(host, busybox);
  const before = stored(host);
  for (const [step, name] of [["while fetching", large], ["while unpacking", flat]] as const) {
    await t.step(step, async () => {
      assertRefused(await image(host, ["pull", name]), /the disk is full/, /image prune --all/);
      assertEquals(stored(host), before);
    });
  }
  await t.step("when not even a file can be created", async () => {
    await host.sh(`mount -o remount,nr_inodes=$(find ${STORE} | wc -l) ${STORE}`);
    assertRefused(await image(host, ["pull", large]), /the disk is full/);
    await host.sh(`mount -o remount,nr_inodes=10k ${STORE}`);
    assertEquals(stored(host), before);
  });
  await t.step("and the previous images still exist", async () => {
    assertEquals(await pull(host, busybox, ["--policy", "missing"]), id);
  });
});

testIf({ name: "an image that a container uses stays", needs: imageNeeds }, async (t) => {
  const { busybox, sibling } = await ociImages();
  await using host = await PrivateHost.create();
  const id = await pull(host, busybox);
  await pull(host, sibling);
  const tree = await treeOf(host, busybox);
  const hold = {
    version: 1,
    container: "0123456789ab",
    name: "web",
    keptBy: "/run/record",
    image: id,
    tree: tree.split("/").at(-2),
  };
  await host.sh(`touch /run/record; cat > ${STORE}/leases/0123456789ab.json`, {
    stdin: JSON.stringify(hold),
  });
  await t.step("it is listed with the container", async () => {
    assertEquals((await images(host)).find((one) => one.id === id)?.usedBy, ["web"]);
  });
  await t.step("it is not removed, nor another with it", async () => {
    const refused = await image(host, ["rm", sibling, busybox]);
    assertRefused(refused, /cannot remove the image 'oci:.*busybox': the container 'web' uses it/);
    assertRefused(await image(host, ["rm", id.slice(7, 19)]), /'web' uses it/);
    assertEquals((await images(host)).length, 2);
  });
  await t.step("prune removes the others", async () => {
    assertRefused(await image(host, ["prune", "--all"]), /not a terminal; add --force/);
    const { stdout } = await image(host, ["prune", "--all", "--force"], { check: true });
    assertStringIncludes(stdout, `Untagged: ${sibling}\n`);
    assertMatch(stdout, /Freed: [0-9.]+ [kM]B\n$/);
    assertEquals((await images(host)).map((one) => one.id), [id]);
  });
  await t.step("with force its name is removed, and its files with the container", async () => {
    const { stdout } = await image(host, ["rm", "--force", busybox], { check: true });
    assertStringIncludes(stdout, `Untagged: ${busybox}\n`);
    assertEquals(await images(host), []);
    assertEquals((await hpk(host, ["gc"])).code, 0);
    assert(exists(tree));
    await host.sh("rm /run/record");
    const dry = await hpk(host, ["gc", "--dry-run"]);
    assertMatch(dry.stdout, /would remove what no image needs: /);
    assert(exists(tree));
    const report = JSON.parse((await hpk(host, ["gc", "--json"])).stdout);
    assertEquals(
      report.images.map(({ path }: { path: string }) => path.replace(`${STORE}/`, "")).sort(),
      ["leases/0123456789ab.json", `trees/${hold.tree}`],
    );
    assertEquals(stored(host), []);
  });
});

testIf({
  name: "images are listed, inspected and removed by any of their names",
  needs: imageNeeds,
}, async (t) => {
  const { busybox, features } = await ociImages();
  await using host = await PrivateHost.create();
  await t.step("without a store", async () => {
    assertEquals(await images(host), []);
    const { stdout } = await image(host, ["ls"], { check: true });
    assertEquals(stdout, "REPOSITORY  TAG  IMAGE ID  PLATFORM  CREATED  SIZE\n");
    assertRefused(await image(host, ["rm", "alpine"]), /the store is empty/);
    assertEquals(exists(`${host.root}/var/lib/hpktainer`), false);
  });
  const id = await pull(host, features);
  await pull(host, busybox);
  await t.step("ls, also as 'images'", async () => {
    const { stdout } = await image(host, ["ls"], { check: true });
    assertMatch(stdout, new RegExp(`^oci:\\S+  features  ${id.slice(7, 19)}  linux/`, "m"));
    assertEquals((await hpk(host, ["images"])).stdout, stdout);
    const quiet = await hpk(host, ["images", "--quiet", "--no-trunc"]);
    assertStringIncludes(quiet.stdout, `${id}\n`);
    assertEquals(
      (await image(host, ["ls", "--format", "json"])).stdout,
      (await image(host, ["ls", "--json"])).stdout,
    );
    assertRefused(await image(host, ["ls", "--format", "{{.ID}}"]), /--format json/);
  });
  await t.step("inspect shows the configuration", async () => {
    const { stdout } = await image(host, ["inspect", features, id.slice(7, 13)], { check: true });
    const [one, same] = JSON.parse(stdout);
    assertEquals(one, same);
    assertEquals(one.Config, {
      User: "app",
      ExposedPorts: { "53/udp": {}, "8080/tcp": {} },
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "GREETING=hello world",
      ],
      Entrypoint: ["/bin/sh", "-c"],
      Cmd: ['echo "$GREETING" from $(id -u) in $PWD'],
      Volumes: { "/data": {} },
      WorkingDir: "/srv/app",
      Labels: { "org.example.purpose": "test", empty: "" },
      StopSignal: "SIGINT",
    });
  });
  await t.step("rm, also as 'rmi', by id and by name", async () => {
    const byId = await hpk(host, ["rmi", id.slice(7, 19)]);
    assertEquals([byId.code, byId.stdout.split("\n")[1]], [0, `Deleted: ${id}`], byId.stderr);
    const json = await image(host, ["rm", "--json", busybox], { check: true });
    const { version, untagged, deleted, freed } = JSON.parse(json.stdout);
    assertEquals([version, untagged, deleted.length, freed > 1e6], [1, [busybox], 1, true]);
    assertEquals(stored(host), []);
    assertRefused(await image(host, ["rm", busybox]), /no image with that name or id/);
  });
  await t.step("commands that only Docker has are explained", async () => {
    assertRefused(await image(host, ["tag", "a", "b"]), /only stores images to run them; use its/);
    assertRefused(await image(host, ["save", "-o", "x", "a"]), /skopeo copy/);
    assertRefused(await image(host, ["nonsense"]), /see 'hpktainer image --help'/);
  });
  await t.step("an image with a damaged record is fetched again", async () => {
    await pull(host, busybox);
    await host.sh(`for f in ${STORE}/references/*; do echo '{' > $f; done`);
    assertEquals(await images(host), []);
    await pull(host, busybox, ["--policy", "missing"]);
    assertEquals((await images(host)).length, 1);
  });
  await t.step("a removed tree is unpacked again, from the stored layers", async () => {
    const tree = await treeOf(host, busybox);
    await host.sh(`rm -r ${tree.replace(host.root, "")}`);
    await pull(host, busybox, ["--policy", "missing"]);
    assert(exists(`${tree}/bin/busybox`));
  });
});
