import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type ContainerRecord, type HostRecord, resourcesOf } from "../model/ledger_record.ts";
import { spawnScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import { listDirectory } from "./files.ts";
import { isOpenFileAt, Ledger } from "./ledger.ts";
import { openLockFile } from "../ffi/fd.ts";
import { loadLibc } from "../testing/libc.ts";

loadLibc();

const MODULE = import.meta.resolve("./ledger.ts");

const record = (id: string, created: string): ContainerRecord => ({
  version: 1,
  id,
  name: `n-${id}`,
  kind: "run",
  phase: "starting",
  owner: { pid: 1, startTime: 1, bootId: "b" },
  created,
  runtime: "apptainer",
  image: "x.sif",
  mode: "static",
  datapath: "veth",
  subnet: "10.96.0.0/24",
  gateway: "10.96.0.1",
  bridge: "hpk-bridge",
  mtu: 1500,
  address: null,
  subnet6: null,
  gateway6: null,
  address6: null,
  ports: [],
  policy: { isolated: false, masquerade: true, imds: false },
  names: "server",
  resources: resourcesOf(id, "/f"),
  errors: [],
});

const HOST: HostRecord = {
  version: 1,
  generation: "g",
  bridge: "hpk-bridge",
  madeBridge: true,
  addedAddresses: [],
  broughtBridgeUp: false,
  ipv6: null,
  mendedChecksum: null,
  networks: [],
  ownRules: false,
  priorRouteLocalnet: null,
  priorForwarding: "0",
  madeNamespaceDirectory: true,
  automatic: null,
  linger: 10,
  emptySince: 12.5,
};

/** A ledger that does not exist yet, in a directory of its own. */
function newLedger(): Disposable & { ledger: Ledger; root: string; directory: TempDirectory } {
  const directory = new TempDirectory();
  const root = directory.at("ledger");
  return {
    ledger: new Ledger(root),
    root,
    directory,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}

Deno.test("a ledger that does not exist is empty, and reading it does not create it", () => {
  using place = newLedger();
  const { ledger, root } = place;
  assertEquals([ledger.list(), ledger.readHost(), ledger.exists()], [[], undefined, false]);
  assertEquals(ledger.isEmpty(), true);
  assertEquals(listDirectory(root), undefined);
  assertEquals(ledger.recordsDirectory, `${root}/containers`);
  assertEquals(ledger.leasesDirectory, `${root}/leases`);
  assertEquals(ledger.filesDirectory("x"), `${root}/files/x`);
  assertEquals(ledger.monitorLockPath, `${root}/monitor.lock`);
});

Deno.test("records are listed oldest first, replaced whole, and removed", async () => {
  using place = newLedger();
  const { ledger } = place;
  const [a, b, c] = [
    record("aaaaaaaaaaaa", "2026-01-01T00:00:02.000Z"),
    record("bbbbbbbbbbbb", "2026-01-01T00:00:03.000Z"),
    record("cccccccccccc", "2026-01-01T00:00:01.000Z"),
  ];
  await ledger.withLock(() => [a, b, c].forEach((each) => ledger.write(each)));
  assertEquals(ledger.list(), [c, a, b]);
  ledger.write({ ...a, phase: "running", address: "10.96.0.2" });
  assertEquals(ledger.list()[1], { ...a, phase: "running", address: "10.96.0.2" });
  assertEquals([ledger.read(b.id), ledger.read("no-such-one")], [b, undefined]);
  for (const { id } of [a, b, a]) ledger.remove(id);
  assertEquals([ledger.list(), ledger.isEmpty()], [[c], false]);
  ledger.remove(c.id);
  assertEquals(ledger.isEmpty(), true);
});

Deno.test("an unreadable record is listed as one that can be reclaimed", async () => {
  using place = newLedger();
  const { ledger } = place;
  await ledger.withLock(() => {});
  const texts = ["", "{", "null", '{"version":2}', '{"version":1,"id":"x"}'];
  texts.forEach((text, index) => {
    Deno.writeTextFileSync(`${ledger.recordsDirectory}/00000000000${index}.json`, text);
  });
  for (const name of ["000000000009.json.42.tmp", "note.txt"]) {
    Deno.writeTextFileSync(`${ledger.recordsDirectory}/${name}`, "not a record");
  }
  const found = ledger.list();
  assertEquals(found.map(({ id }) => id), texts.map((_, index) => `00000000000${index}`));
  for (const { id, owner, phase, resources, errors } of found) {
    assertEquals([owner.pid, phase], [0, "stopping"]);
    assertEquals(resources, resourcesOf(id, ledger.filesDirectory(id), "relay"));
    assertStringIncludes(errors[0]!, "cannot read the record: SyntaxError: ");
  }
});

Deno.test("the host's record is kept, and lost with the ledger", async () => {
  using place = newLedger();
  const { ledger, root, directory } = place;
  await ledger.withLock(() => {
    ledger.writeHost(HOST);
    assertEquals(ledger.readHost(), HOST);
    ledger.removeAll();
    assertEquals([ledger.readHost(), ledger.exists()], [undefined, false]);
  });
  assertEquals(listDirectory(directory.path), []);
  // A removal that was cut short leaves a ledger, until the next one completes it.
  Deno.mkdirSync(`${root}.removed/containers`, { recursive: true });
  assert(ledger.exists());
  await ledger.withLock(() => ledger.removeAll());
  assertEquals([ledger.exists(), listDirectory(directory.path)], [false, []]);
});

Deno.test("withLock() returns the function's result, and releases the lock when it throws", async () => {
  using place = newLedger();
  const { ledger } = place;
  assertEquals(await ledger.withLock(() => 7), 7);
  const failing = () => ledger.withLock(() => Promise.reject(new RangeError("no")));
  await assertRejects(failing, RangeError, "no");
  assertEquals(await ledger.withLock(() => Promise.resolve("free")), "free");
});

Deno.test("isOpenFileAt() distinguishes a file from one that replaced it", () => {
  using directory = new TempDirectory();
  const path = directory.at("lock");
  using file = openLockFile(path);
  assert(isOpenFileAt(file, path));
  Deno.renameSync(path, directory.at("old"));
  assert(!isOpenFileAt(file, path));
  directory.write("lock", "");
  assert(!isOpenFileAt(file, path));
  assert(isOpenFileAt(file, directory.at("old")));
});

/** Runs the same code in several processes at once, with a ledger and a directory at hand. */
async function race(
  processes: number,
  place: { root: string; directory: TempDirectory },
  code: string,
) {
  const script = place.directory.write(
    "race.ts",
    `import { Ledger } from "${MODULE}";
     const ledger = new Ledger("${place.root}");
     const directory = "${place.directory.path}";
     const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
     ${code}`,
  );
  const children = Array.from({ length: processes }, () => spawnScript(script));
  for (const child of children) {
    await child.stdin.close();
    const { code: status, stderr } = await child.output();
    assertEquals([status, new TextDecoder().decode(stderr)], [0, ""]);
  }
}

Deno.test("calls of one process take turns, of several ledgers in the same directory too", async () => {
  using directory = new TempDirectory();
  const steps: string[] = [];
  const change = async (name: string) => {
    steps.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    steps.push(`${name} ends`);
  };
  await Promise.all([
    new Ledger(directory.path).withLock(() => change("first")),
    new Ledger(directory.path).withExisting(() => change("second")),
  ]);
  assertEquals(steps, ["first begins", "first ends", "second begins", "second ends"]);
});

Deno.test("withLock() allows one process at a time to change the ledger", async () => {
  using place = newLedger();
  const counter = place.directory.write("counter", "0");
  await race(
    3,
    place,
    `for (let round = 0; round < 100; round++) {
       await ledger.withLock(async () => {
         const count = Number(Deno.readTextFileSync(directory + "/counter"));
         await pause();
         Deno.writeTextFileSync(directory + "/counter", String(count + 1));
       });
     }`,
  );
  assertEquals(Deno.readTextFileSync(counter), "300");
});

Deno.test("removeAll() in a race with starts keeps the lock exclusive, and loses no record", async () => {
  using place = newLedger();
  await race(
    3,
    place,
    `for (let round = 0; round < 40; round++) {
       await ledger.withLock(async () => {
         Deno.mkdirSync(directory + "/critical");
         const id = "000000000000";
         ledger.write({ ...${
      JSON.stringify(record("000000000000", "2026"))
    }, image: String(round) });
         await pause();
         if (ledger.list().length !== 1 || ledger.list()[0].image !== String(round)) {
           throw new Error("the record is lost");
         }
         ledger.remove(id);
         Deno.removeSync(directory + "/critical");
         ledger.removeAll();
       });
     }`,
  );
  assertEquals(listDirectory(place.directory.path), ["race.ts"]);
});

Deno.test("the lock is released when its holder ends, however it ends", async () => {
  using place = newLedger();
  const script = place.directory.write(
    "hold.ts",
    `import { Ledger } from "${MODULE}";
     await new Ledger("${place.root}").withLock(() => {
       console.log("held");
       return new Promise(() => setInterval(() => {}, 1000));
     });`,
  );
  const child = spawnScript(script);
  const reader = child.stdout.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "held\n");
  child.kill("SIGKILL");
  await child.status;
  await Promise.all([reader.cancel(), child.stdin.close(), child.stderr.cancel()]);
  assertEquals(await place.ledger.withLock(() => "ours"), "ours");
});
