import type { ContainerRecord } from "@hpk/core";
import {
  type FileDescriptor,
  openProcess,
  readChanges,
  waitReadable,
  watchDirectory,
} from "@hpk/core/ffi";
import { isAlive, type Ledger, thisProcess } from "@hpk/core/os";

/** How long records that change are left alone, in ms: of many starts at once each changes some. */
const GATHERING_MS = 100;

/**
 * How long an end among other containers waits at most, in ms, for a pause of the others' starts
 * and ends: a tear-down has locks of the kernel that starts wait for, and many are torn down faster
 * together.
 */
const LONGEST_GATHERING_MS = 1_000;

/**
 * The containers of a ledger and their owners, updated incrementally: with a thousand containers, a
 * start costs the monitor as much as with ten.
 */
export class WatchedLedger implements Disposable {
  readonly #ledger: Ledger;
  readonly #watch: FileDescriptor;
  readonly #records = new Map<string, ContainerRecord>();
  /** A descriptor for each live owner; readable when it ends. */
  readonly #owners = new Map<number, FileDescriptor>();
  readonly #ownPid = thisProcess().pid;
  #hasEnded = false;
  #hasOrphan = false;
  /** Whether an instance has ended: the command that stops it waits for its release. */
  #isAwaited = false;

  /** Reads all of a ledger, which exists. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    // Before reading, so that no change is missed.
    this.#watch = watchDirectory(ledger.recordsDirectory);
    this.#readAll();
  }

  /** Every container. */
  get records(): ContainerRecord[] {
    return [...this.#records.values()];
  }

  /**
   * Whether somebody may be waiting for the release of what has ended; to be asked before
   * takeEnded().
   */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** Whether an owner has ended, or a container without one was added, since the last call. */
  takeEnded(): boolean {
    const ended = this.#hasEnded || this.#hasOrphan;
    this.#hasEnded = false;
    this.#hasOrphan = false;
    this.#isAwaited = false;
    return ended;
  }

  /**
   * Reads what a tear-down has changed; containers that it could not take down are not reported
   * again.
   */
  updateAfterTearDown(): void {
    const hadOrphan = this.#hasOrphan;
    this.update();
    this.#hasOrphan = hadOrphan;
  }

  /** Reads what has changed. @return Whether anything has. */
  update(): boolean {
    const names = readChanges(this.#watch);
    if (names === undefined) {
      this.#readAll();
      return true;
    }
    const ids = new Set(names.flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []));
    for (const id of ids) this.#store(id, this.#ledger.read(id));
    if (ids.size > 0) this.#followOwners();
    return ids.size > 0;
  }

  /**
   * Blocks until an owner or another process ends, the ledger changes, or the time is up, then
   * reads what has changed. After an end among others it goes on until there is a pause, except for
   * instances.
   *
   * @param others Processes to wait for besides.
   * @param timeoutMs Bound in ms; -1 for none.
   */
  wait(others: readonly number[], timeoutMs: number): void {
    const processes = others.map(openProcess);
    try {
      // One that has ended already needs no waiting for.
      if (this.#hasEnded || this.#hasOrphan || processes.includes(undefined)) return;
      const fds = [...this.#owners.values(), ...processes.map((process) => process!)]
        .map(({ fd }) => fd);
      waitReadable([this.#watch.fd, ...fds], timeoutMs);
    } finally {
      for (const process of processes) process?.close();
    }
    this.#takeEnds(GATHERING_MS);
    this.update();
    if (this.#hasEnded) this.#awaitPause();
  }

  [Symbol.dispose](): void {
    this.#watch.close();
    for (const process of this.#owners.values()) process.close();
  }

  /** Notes owners that end within a time in ms. @return Whether any has. */
  #takeEnds(timeoutMs: number): boolean {
    const fds = [...this.#owners.values()].map(({ fd }) => fd);
    const readable = new Set(waitReadable(fds, timeoutMs));
    const ended = [...this.#owners].filter(([, { fd }]) => readable.has(fd)).map(([pid]) => pid);
    if (ended.length === 0) return false;
    this.#hasEnded = true;
    const pids = new Set(ended);
    this.#isAwaited ||= this.records.some(({ kind, owner }) =>
      kind === "instance" && pids.has(owner.pid)
    );
    for (const pid of ended) this.#forgetOwner(pid);
    return true;
  }

  /**
   * Waits until no container starts or ends for a while, if one is left and nobody waits for the
   * end.
   */
  #awaitPause(): void {
    const deadline = performance.now() + LONGEST_GATHERING_MS;
    const isLate = () => this.#isAwaited || performance.now() >= deadline;
    for (let isBusy = true; isBusy && this.#owners.size > 0 && !isLate();) {
      waitReadable([], GATHERING_MS);
      const hasEnded = this.#takeEnds(0);
      isBusy = this.update() || hasEnded;
    }
  }

  #readAll(): void {
    this.#records.clear();
    for (const record of this.#ledger.list()) this.#store(record.id, record);
    this.#followOwners();
  }

  #store(id: string, record: ContainerRecord | undefined): void {
    if (record === undefined) {
      this.#records.delete(id);
      return;
    }
    this.#records.set(id, record);
    const { owner } = record;
    if (owner.pid === this.#ownPid) return;
    if (owner.pid <= 0) {
      this.#hasOrphan = true;
      return;
    }
    if (!this.#owners.has(owner.pid)) {
      const process = openProcess(owner.pid);
      if (process !== undefined) this.#owners.set(owner.pid, process);
    }
    // Its pid may be another process's by now.
    if (!isAlive(owner)) this.#hasEnded = true;
  }

  /** Closes the descriptors of processes that no longer own anything. */
  #followOwners(): void {
    const owning = new Set([...this.#records.values()].map(({ owner }) => owner.pid));
    for (const pid of this.#owners.keys()) if (!owning.has(pid)) this.#forgetOwner(pid);
  }

  #forgetOwner(pid: number): void {
    this.#owners.get(pid)?.close();
    this.#owners.delete(pid);
  }
}
