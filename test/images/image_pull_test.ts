/**
 * Images come from registries, layouts and archives, whole or not at all, and once.
 *
 *   [ host ] hpktainer image pull ── skopeo ── docker-registry on 127.0.0.1:5000
 *                  └─ /var/lib/hpktainer/images (private)
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  dockerRegistry,
  OciFixture,
  ociImages,
  PrivateHost,
  Registry,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER, programForUsers } from "../harness/hpktainer.ts";
import { assertRefused, image, imageNeeds, images, pull, stored, treeOf } from "./_images.ts";

const needs = [...imageNeeds, dockerRegistry];

testIf(
  { name: "an image of a registry is fetched once, and used without it", needs },
  async (t) => {
    const { busybox } = await ociImages();
    await using host = await PrivateHost.create();
    let id = "";
    {
      await using registry = await Registry.start(host);
      const name = await registry.push(busybox, "team/app:1");
      await t.step("its id is all that standard output gets", async () => {
        const { code, stdout, stderr } = await image(host, ["pull", name]);
        assertEquals(code, 0, stderr);
        assertMatch(stdout, /^sha256:[0-9a-f]{64}\n$/);
        id = stdout.trimEnd();
        assertMatch(stderr, /^localhost:5000\/team\/app:1: fetching, 0 B of [0-9.]+ MB\n/);
        assertMatch(stderr, /app:1: unpacking\n.*app:1: ready, [0-9a-f]{12}\n$/s);
      });
      await t.step("an up-to-date image costs one request", async () => {
        await registry.requests(/./);
        assertEquals(await pull(host, name), id);
        const asked = await registry.requests(/manifests|blobs/);
        assertEquals(asked, ["GET /v2/team/app/manifests/1"]);
      });
      await t.step("quiet is quiet", async () => {
        const { stderr } = await image(host, ["pull", "--quiet", name], { check: true });
        assertEquals(stderr, "");
      });
    }
    await t.step("without its registry it is there", async () => {
      const name = "localhost:5000/team/app:1";
      assertEquals(await pull(host, name, ["--policy", "missing"]), id);
      assertEquals(await pull(host, name, ["--policy", "never"]), id);
      assertEquals(await pull(host, id.slice(7, 19), ["--policy", "missing"]), id);
      assertEquals(await pull(host, id, ["--policy", "missing"]), id);
      assertRefused(await image(host, ["pull", name]), /cannot be reached/);
      assertRefused(await image(host, ["pull", "--policy", "never", "localhost:5000/x"]), /store/);
      assertEquals((await images(host)).map(({ reference }) => reference), [name]);
    });
    await t.step("a stored image does not need another program", async () => {
      await host.sh(
        "for name in skopeo umoci setpriv; do mount --bind /bin/false /usr/bin/$name; done",
      );
      assertEquals(await pull(host, "localhost:5000/team/app:1", ["--policy", "missing"]), id);
      await host.sh("for name in skopeo umoci setpriv; do umount /usr/bin/$name; done");
    });
  },
);

testIf(
  { name: "layers are fetched once for all images, and a moved tag is followed", needs },
  async (t) => {
    const { busybox, sibling, features } = await ociImages();
    await using host = await PrivateHost.create();
    await using registry = await Registry.start(host);
    const app = await registry.push(busybox, "app:1");
    const other = await registry.push(sibling, "other:1");
    const first = await pull(host, app);
    await t.step("an existing layer is not requested", async () => {
      await registry.requests(/./);
      const second = await pull(host, other);
      assert(second !== first);
      const blobs = await registry.requests(/GET .*blobs/);
      // Its configuration and its own layer.
      assertEquals(blobs.length, 2, blobs.join("\n"));
    });
    await t.step("one image under two names has one tree", async () => {
      const again = await registry.push(busybox, "again:2");
      assertEquals(await pull(host, again), first);
      const trees = stored(host).filter((path) => path.startsWith("trees/"));
      assertEquals(trees.length, 2);
      assertEquals(await treeOf(host, again), await treeOf(host, app));
    });
    await t.step(
      "after its tag has moved, the new one is fetched and the old one is gone",
      async () => {
        const before = stored(host).length;
        await registry.push(features, "other:1");
        assertEquals(await pull(host, other, ["--policy", "missing"]), (await images(host))[1]!.id);
        await pull(host, other);
        const user = (await image(host, ["inspect", other], { check: true })).stdout;
        assertEquals(JSON.parse(user)[0].Config.User, "app");
        // Its own layer is gone with its manifest, configuration and tree; two new layers are
        // there.
        assertEquals(stored(host).length, before + 1);
      },
    );
  },
);

testIf({ name: "an image is fetched for its platform", needs }, async (t) => {
  await using host = await PrivateHost.create();
  await using registry = await Registry.start(host);
  using fixture = new OciFixture();
  const layer = (architecture: string) => [[{ path: "arch", data: architecture }]];
  const list = fixture.addList(
    "list",
    ["amd64", "arm64"].map((architecture) => ({ layers: layer(architecture), architecture })),
  );
  const single = fixture.add("s390x", { layers: layer("s390x"), architecture: "s390x" });
  const names = [list, await registry.push(list, "list:1", ["--all"])];
  for (const name of names) {
    await t.step(`of the list ${name.replace(/.*(?=:)/, "")}`, async () => {
      await pull(host, name);
      await pull(host, name, ["--platform", "linux/arm64"]);
      await pull(host, name, ["--platform", "x86_64"]);
      const found = (await images(host)).filter(({ reference }) => reference === name);
      assertEquals(found.map(({ platform }) => platform).sort(), ["linux/amd64", "linux/arm64"]);
      const refused = await image(host, ["pull", "--platform", "linux/riscv64", name]);
      assertRefused(refused, /not for linux\/riscv64, but for linux\/amd64, linux\/arm64/);
      await image(host, ["rm", name], { check: true });
    });
  }
  await t.step("of one that is for another only", async () => {
    assertRefused(await image(host, ["pull", single]), /it is for linux\/s390x, not for/);
    await pull(host, single, ["--platform", "linux/s390x"]);
    const tree = await treeOf(host, single);
    assertEquals(Deno.readTextFileSync(`${tree}/arch`), "s390x");
    await image(host, ["rm", single], { check: true });
  });
  await t.step("nothing is left of what was refused or removed", () => {
    assertEquals(stored(host), []);
  });
});

testIf({ name: "an image by its digest is that image", needs }, async () => {
  const { busybox, sibling } = await ociImages();
  await using host = await PrivateHost.create();
  await using registry = await Registry.start(host);
  const name = await registry.push(busybox, "app:1");
  const id = await pull(host, name);
  const { stdout } = await image(host, ["inspect", name], { check: true });
  const digest = JSON.parse(stdout)[0].RepoDigests[0];
  assertMatch(digest, /^localhost:5000\/app@sha256:[0-9a-f]{64}$/);
  await registry.push(sibling, "app:1");
  assertEquals(await pull(host, digest), id);
  assertEquals(await pull(host, digest.replace("@", ":1@")), id);
  const wrong = `${digest.slice(0, -1)}${digest.endsWith("0") ? "1" : "0"}`;
  assertRefused(await image(host, ["pull", wrong]), /does not have it/);
});

testIf(
  { name: "Docker's own format and zstd layers work like others", needs },
  async (t) => {
    const { busybox, features } = await ociImages();
    await using host = await PrivateHost.create();
    await using registry = await Registry.start(host);
    await t.step("Docker's manifest", async () => {
      const name = await registry.push(features, "docker:1", ["--format", "v2s2"]);
      await pull(host, name);
      const { stdout } = await image(host, ["inspect", name], { check: true });
      const [{ Config, RepoDigests }] = JSON.parse(stdout);
      assertEquals(Config.StopSignal, "SIGINT");
      // As the registry has it, not as the store does.
      const { stdout: raw } = await host.sh(
        `skopeo inspect --raw --tls-verify=false docker://${name} | sha256sum`,
      );
      assertEquals(RepoDigests, [`localhost:5000/docker@sha256:${raw.split(" ")[0]}`]);
      assertEquals(await pull(host, RepoDigests[0]), await pull(host, name));
    });
    await t.step("zstd", async () => {
      const name = await registry.push(busybox, "zstd:1", ["--dest-compress-format", "zstd"]);
      await pull(host, name);
      assert(Deno.statSync(`${await treeOf(host, name)}/bin/busybox`).size > 100_000);
    });
  },
);

testIf({ name: "images come from layouts and archives", needs: imageNeeds }, async (t) => {
  const { busybox, features, sibling } = await ociImages();
  await using host = await PrivateHost.create();
  await host.sh(
    `mkdir /run/images; cd /run/images
     skopeo copy -q ${busybox} oci-archive:one.tar:one
     skopeo copy -q ${busybox} docker-archive:docker.tar:local/busybox:1 --additional-tag other:2`,
    { timeoutMs: 60_000 },
  );
  const id = await pull(host, busybox);
  for (const name of ["oci-archive:one.tar", "oci-archive:/run/images/one.tar:one"]) {
    await t.step(name, async () => {
      assertEquals(await pull(host, name, [], { cwd: "/run/images" }), id);
    });
  }
  for (const name of ["docker-archive:docker.tar", "docker-archive:docker.tar:other:2"]) {
    await t.step(name, async () => {
      const config = await pull(host, name, [], { cwd: "/run/images" });
      assertEquals(await treeOf(host, config), await treeOf(host, busybox));
    });
  }
  await t.step("one that has not changed is not read again", async () => {
    await host.sh("mount --bind /bin/false /usr/bin/skopeo");
    assertEquals(await pull(host, "oci-archive:/run/images/one.tar"), id);
    await host.sh("umount /usr/bin/skopeo");
  });
  await t.step("one that has changed is read, unless the policy is never", async () => {
    await host.sh(`cd /run/images; rm one.tar; skopeo copy -q ${sibling} oci-archive:one.tar:one`);
    const name = "oci-archive:/run/images/one.tar";
    assertEquals(await pull(host, name, ["--policy", "never"]), id);
    const changed = await pull(host, name, ["--policy", "missing"]);
    assertEquals(changed, await pull(host, sibling));
    await host.sh("rm /run/images/one.tar");
    assertEquals(await pull(host, name, ["--policy", "missing"]), changed);
  });
  await t.step("a directory with several requires a name", async () => {
    assertRefused(await image(host, ["pull", features.replace(/:features$/, "")]), /tag/);
    assertRefused(await image(host, ["pull", `${features}x`]), /does not contain that image/);
  });
  await t.step("what does not exist is reported by its path", async () => {
    for (const transport of ["oci", "oci-archive", "docker-archive"]) {
      const result = await image(host, ["pull", `${transport}:nowhere`]);
      assertRefused(result, /cannot fetch the image '[a-z-]+:\/nowhere': there is no such file/);
    }
  });
});

testIf(
  { name: "a registry's password is read from the usual places", needs },
  async (t) => {
    const { busybox } = await ociImages();
    await using host = await PrivateHost.create();
    await using registry = await Registry.start(host, { password: true });
    const name = await registry.push(busybox, "app:1");
    const HOME = "/run/home";
    const auths = { auths: { [registry.name]: { auth: btoa("scientist:secret") } } };
    const wrong = { auths: { [registry.name]: { auth: btoa("scientist:guess") } } };
    const put = (path: string, content: unknown) =>
      host.sh(`mkdir -p "$(dirname ${path})"; cat > ${path}`, { stdin: JSON.stringify(content) });
    await t.step("nowhere", async () => {
      const result = await image(host, ["pull", name], { env: { HOME } });
      assertRefused(result, /denies access/, /log in with 'skopeo login localhost:5000'/);
    });
    const places: [string, string, Record<string, string>, string[]][] = [
      ["Docker's file", `${HOME}/.docker/config.json`, { HOME }, []],
      ["Docker's file elsewhere", "/run/docker/config.json", { DOCKER_CONFIG: "/run/docker" }, []],
      ["Podman's file", "/run/xdg/containers/auth.json", { XDG_RUNTIME_DIR: "/run/xdg" }, []],
      ["Podman's variable", "/run/a.json", { REGISTRY_AUTH_FILE: "/run/a.json" }, []],
      ["the option", "/run/b.json", {}, ["--authfile", "/run/b.json"]],
    ];
    for (const [where, path, env, options] of places) {
      await t.step(where, async () => {
        const runOptions = { env: { HOME, ...env } };
        await put(path, wrong);
        assertRefused(
          await image(host, ["pull", ...options, name], runOptions),
          /denies access/,
        );
        await put(path, auths);
        await pull(host, name, options, runOptions);
        await image(host, ["rm", name], { check: true });
        await host.sh(`rm ${path}`);
      });
    }
    await t.step("no password is printed or kept", async () => {
      await put("/run/b.json", wrong);
      const { stderr } = await image(host, ["pull", "--authfile", "/run/b.json", name]);
      assert(!stderr.includes("guess"));
      const { stdout } = await host.sh(`grep -rl guess /var/lib/hpktainer || :`);
      assertEquals(stdout, "");
    });
  },
);

testIf(
  { name: "an image that cannot be fetched gives one clear line, and nothing is left", needs },
  async (t) => {
    await using host = await PrivateHost.create();
    await using _registry = await Registry.start(host);
    using fixture = new OciFixture();
    const helm = fixture.add("x", { layers: [] });
    const cases: [string, RegExp][] = [
      [
        "localhost:5000/nothing",
        /'localhost:5000\/nothing:latest': its registry does not have it/,
      ],
      ["localhost:1/x", /cannot be reached/],
      ["Upper", /lower case/],
      ["./image.tar", /looks like a path/],
      ["library://alpine", /does not support that transport/],
      ["localhost:5000/x@sha256:12", /not a valid digest/],
      ["", /not a valid repository/],
    ];
    for (const [name, pattern] of cases) {
      await t.step(name || "nothing", async () => {
        assertRefused(await image(host, ["pull", name]), pattern);
      });
    }
    await t.step("a file by its bare name", async () => {
      await host.sh("cd /run; touch a.sif a.tar");
      const cwd = "/run";
      assertRefused(
        await image(host, ["pull", "a.sif"], { cwd }),
        /with .hpktainer run., without --runtime/,
      );
      assertRefused(await image(host, ["pull", "a.tar"], { cwd }), /write oci-archive:a.tar or/);
    });
    await t.step("an artefact that is not an image", async () => {
      const path = helm.split(":")[1]!;
      const [manifest] = JSON.parse(Deno.readTextFileSync(`${path}/index.json`)).manifests;
      const blob = `${path}/blobs/${manifest.digest.replace(":", "/")}`;
      Deno.writeTextFileSync(blob, Deno.readTextFileSync(blob).replace("oci.image.config", "helm"));
      assertRefused(await image(host, ["pull", helm]), /artefact of type application\/vnd.helm/);
    });
    await t.step("a user who is not root", async () => {
      const program = await programForUsers(host);
      for (const words of [["pull", "x"], ["ls"], ["rm", "x"], ["inspect", "x"], ["prune"]]) {
        const args = ["--reuid=65534", "--clear-groups", program, "image", ...words];
        assertRefused(await host.run("setpriv", args, { check: false }), /you are uid 65534/);
      }
    });
    assertEquals(stored(host), []);
  },
);

testIf(
  { name: "a pull shows its progress as a bar on a terminal", needs: imageNeeds },
  async () => {
    const { large } = await ociImages();
    await using host = await PrivateHost.create();
    // Standard error is the terminal; standard output is not.
    const { stdout } = await host.sh(
      `script -qec "stty cols 100; '${HPKTAINER}' image pull ${large} > /run/stdout" /dev/null
     cat /run/stdout`,
      { timeoutMs: 120_000 },
    );
    const frames = stdout.split("\r\x1b[K");
    assert(frames.length > 3, stdout);
    assertMatch(frames[1]!, /fetching \[-+\] 0 B of [0-9]+ MB$/);
    for (const frame of frames.slice(1, -1)) assert(frame.length < 100, frame);
    assertStringIncludes(frames.at(-1)!, "unpacking");
    assertMatch(stdout, /\nsha256:[0-9a-f]{64}\n$/);
  },
);
