import { HpkError } from "@hpk/core";
import { type FileDescriptor, openDirectory, tryLockExclusive } from "@hpk/core/ffi";
import { pause, removeIfEmpty, removeIfExists } from "@hpk/core/os";
import { EMPTY_JOURNAL, formatJournal, type Journal, JOURNAL_PATH } from "./pure/journal.ts";
import { readJournal } from "./look.ts";
import { explain, temporaryOf, writeWhole } from "./resources/write_file.ts";

const DIRECTORY = JOURNAL_PATH.replace(/\/[^/]*$/, "");

/** How long to wait for another run, in ms, and how often to check. */
const LOCK_WAIT_MS = 30_000;
const LOCK_PAUSE_MS = 100;

/** The journal on disk, open in one run at a time. */
export class JournalFile implements Disposable {
  #journal: Journal;
  readonly #lock: FileDescriptor;

  private constructor(journal: Journal, lock: FileDescriptor) {
    this.#journal = journal;
    this.#lock = lock;
  }

  /**
   * Opens it once no other run is in progress.
   *
   * @throws {HpkError} If another run does not end, or the journal cannot be read.
   */
  static async open(): Promise<JournalFile> {
    // A directory that always exists: --undo would have to remove a lock file of our own.
    const lock = openDirectory("/var/lib");
    try {
      const deadline = Date.now() + LOCK_WAIT_MS;
      while (!tryLockExclusive(lock)) {
        if (Date.now() > deadline) {
          throw new HpkError({
            what: "cannot start",
            why: `another host-setup has been running for ${LOCK_WAIT_MS / 1000} s`,
            fix: "wait until it finishes",
          });
        }
        await pause(LOCK_PAUSE_MS);
      }
      return new JournalFile(readJournal(), lock);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** Its contents. */
  get journal(): Journal {
    return this.#journal;
  }

  /**
   * Writes it to disk, atomically; removes it if it is empty.
   *
   * @throws {HpkError} If the disk is full or read-only.
   */
  write(journal: Journal): void {
    if (journal.entries.length === 0 && Object.keys(journal.choices).length === 0) {
      this.remove();
      return;
    }
    try {
      Deno.mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
    } catch (error) {
      throw explain(`cannot make ${DIRECTORY}`, error);
    }
    writeWhole(JOURNAL_PATH, formatJournal(journal));
    this.#journal = journal;
  }

  /** Removes all entries. */
  remove(): void {
    removeIfExists(temporaryOf(JOURNAL_PATH));
    removeIfExists(JOURNAL_PATH);
    removeIfEmpty(DIRECTORY);
    this.#journal = EMPTY_JOURNAL;
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }
}
