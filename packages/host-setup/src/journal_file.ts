import { HpkError } from "@hpk/core";
import { type FileDescriptor, openDirectory, tryLockExclusive } from "@hpk/core/ffi";
import { removeIfEmpty, removeIfExists } from "@hpk/core/os";
import { EMPTY_JOURNAL, formatJournal, type Journal, JOURNAL_PATH } from "./pure/journal.ts";
import { readJournal } from "./look.ts";
import { explain, temporaryOf, writeWhole } from "./resources/write_file.ts";

const DIRECTORY = JOURNAL_PATH.replace(/\/[^/]*$/, "");

/** How long another run of ours is waited for, in ms, and how often it is asked. */
const LOCK_WAIT_MS = 30_000;
const LOCK_PAUSE_MS = 100;

/** The journal on the disk, held by one run at a time. */
export class JournalFile implements Disposable {
  #journal: Journal;
  readonly #lock: FileDescriptor;

  private constructor(journal: Journal, lock: FileDescriptor) {
    this.#journal = journal;
    this.#lock = lock;
  }

  /**
   * Opens it, when no other run of ours goes on.
   *
   * @throws {HpkError} When another run does not end, or the journal cannot be read.
   */
  static async open(): Promise<JournalFile> {
    // A directory that is always there: a lock of a file of ours would have to be removed by --undo.
    const lock = openDirectory("/var/lib");
    try {
      const deadline = Date.now() + LOCK_WAIT_MS;
      while (!tryLockExclusive(lock)) {
        if (Date.now() > deadline) {
          throw new HpkError({
            what: "cannot begin",
            why: `another host-setup has been at work for ${LOCK_WAIT_MS / 1000} s`,
            fix: "wait until it is done",
          });
        }
        await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
      }
      return new JournalFile(readJournal(), lock);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** What it holds. */
  get journal(): Journal {
    return this.#journal;
  }

  /**
   * Writes it whole, to the disk; removes it where it holds nothing.
   *
   * @throws {HpkError} When the disk is full or read-only.
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

  /** Forgets everything. */
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
