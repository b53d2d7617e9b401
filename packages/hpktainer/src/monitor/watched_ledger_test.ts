import { assertEquals } from "@std/assert";
import { type ContainerRecord, NO_PROCESS, unreadableRecord } from "@hpk/core";
import { openProcess } from "@hpk/core/ffi";
import { identify, Ledger } from "@hpk/core/os";
import { WatchedLedger } from "./watched_ledger.ts";

// The library stays open: the first test that loads it would fail as leaking.
openProcess(Deno.pid)?.close();
openProcess(0);

/** A wait that reaches this bound has failed. */
const LONG_MS = 10_000;

const record = (id: string, owner: ContainerRecord["owner"]): ContainerRecord => ({
  ...unreadableRecord(id, "/f", ""),
  owner,
  errors: [],
});

/** A new ledger with one container, whose owner sleeps. */
async function stage(): Promise<AsyncDisposable & { ledger: Ledger; owner: Deno.ChildProcess }> {
  const directory = await Deno.makeTempDir();
  const ledger = new Ledger(`${directory}/state`);
  await ledger.withLock(() => {});
  const owner = new Deno.Command("sleep", { args: ["600"] }).spawn();
  ledger.write(record("a", identify(owner.pid)!));
  return {
    ledger,
    owner,
    [Symbol.asyncDispose]: async () => {
      try {
        owner.kill("SIGKILL");
      } catch {
        // The test has ended it.
      }
      await owner.status;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

const ids = (watched: WatchedLedger) => watched.records.map(({ id }) => id).sort();

Deno.test("WatchedLedger follows what is written and removed", async () => {
  await using setting = await stage();
  const { ledger, owner } = setting;
  using watched = new WatchedLedger(ledger);
  assertEquals([ids(watched), watched.takeEnded()], [["a"], false]);
  ledger.write(record("b", identify(owner.pid)!));
  watched.wait([], LONG_MS);
  assertEquals([ids(watched), watched.takeEnded()], [["a", "b"], false]);
  ledger.remove("a");
  watched.wait([], LONG_MS);
  assertEquals([ids(watched), watched.takeEnded()], [["b"], false]);
});

Deno.test("WatchedLedger reports the end of an owner once", async () => {
  await using setting = await stage();
  using watched = new WatchedLedger(setting.ledger);
  setting.owner.kill("SIGKILL");
  watched.wait([], LONG_MS);
  assertEquals([watched.takeEnded(), watched.takeEnded()], [true, false]);
});

Deno.test("WatchedLedger reports an end while others live", async () => {
  await using ending = await stage();
  await using staying = await stage();
  ending.ledger.write(record("b", identify(staying.owner.pid)!));
  using watched = new WatchedLedger(ending.ledger);
  ending.owner.kill("SIGKILL");
  watched.wait([], LONG_MS);
  assertEquals([ids(watched), watched.takeEnded()], [["a", "b"], true]);
  staying.owner.kill("SIGKILL");
  watched.wait([], LONG_MS);
  assertEquals([watched.takeEnded(), watched.takeEnded()], [true, false]);
});

Deno.test("WatchedLedger treats an owner with a recycled pid as ended", async () => {
  await using setting = await stage();
  const owner = identify(setting.owner.pid)!;
  setting.ledger.write(record("b", { ...owner, startTime: owner.startTime + 1 }));
  using watched = new WatchedLedger(setting.ledger);
  assertEquals(watched.takeEnded(), true);
});

Deno.test("WatchedLedger reports a container without an owner, but only once", async () => {
  await using setting = await stage();
  using watched = new WatchedLedger(setting.ledger);
  setting.ledger.write(record("b", NO_PROCESS));
  watched.wait([], LONG_MS);
  assertEquals(watched.takeEnded(), true);
  // As a failed tear-down does.
  setting.ledger.write({ ...record("b", NO_PROCESS), errors: ["busy"] });
  watched.updateAfterTearDown();
  assertEquals(watched.takeEnded(), false);
});

Deno.test("WatchedLedger waits for other processes too, and at most for the given time", async () => {
  await using setting = await stage();
  using watched = new WatchedLedger(setting.ledger);
  const begin = performance.now();
  watched.wait([], 50);
  const other = new Deno.Command("true").spawn();
  await other.status;
  watched.wait([other.pid], LONG_MS);
  assertEquals([performance.now() - begin < LONG_MS, watched.takeEnded()], [true, false]);
});
