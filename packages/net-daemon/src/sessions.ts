/**
 * The sessions of a daemon. Each is written to a file before it is made, so that the next daemon
 * finds it again after a kill: the TAPs stay, with their addresses, and connections through them
 * survive.
 */

import {
  HpkError,
  messageOf,
  parseIpv4,
  parseRelaySession,
  type RelaySession,
  relaySessionDirectory,
  relaySessionFile,
  type RelaySessionStatus,
  relaySocketPath,
} from "@hpk/core";
import {
  type FileDescriptor,
  inNetNamespace,
  listenUnix,
  setTapPersistent,
  SystemCallError,
} from "@hpk/core/ffi";
import { listDirectory, readFileIfExists, removeIfExists, writeFileAtomic } from "@hpk/core/os";
import { openTapAs } from "./open_tap.ts";
import { readCounters } from "./pure/counters.ts";
import type { EndSpec } from "./pure/link_spec.ts";
import { sourceRules } from "./pure/source_filter.ts";
import type { RelayThread } from "./relay_thread.ts";

interface Running {
  readonly session: RelaySession;
  readonly counters: Float64Array;
  /** When it was started or resumed, in ms. */
  readonly since: number;
  readonly ended: PromiseWithResolvers<void>;
  /** Inode of the container's namespace; undefined if there is none to watch. */
  readonly namespace: number | undefined;
}

/** Options of all sessions. */
export interface SessionsOptions {
  /** The daemon's directory, of mode 0700. */
  readonly directory: string;
  readonly thread: RelayThread;
  readonly log: (text: string) => void;
}

/** Every session of this daemon. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: SessionsOptions) {
    this.#options = options;
    for (const name of ["sessions", "links"]) {
      Deno.mkdirSync(`${options.directory}/${name}`, { recursive: true, mode: 0o700 });
    }
  }

  /** Number of sessions. */
  get size(): number {
    return this.#running.size;
  }

  /** Resumes the sessions of an earlier daemon; those that fail are forgotten. */
  restore(): void {
    for (const name of listDirectory(`${this.#options.directory}/sessions`) ?? []) {
      const path = `${this.#options.directory}/sessions/${name}`;
      try {
        this.add(parseRelaySession(JSON.parse(readFileIfExists(path) ?? "")));
        this.#options.log(`${name}: resumed`);
      } catch (error) {
        this.#options.log(`${name}: forgotten: ${messageOf(error)}`);
        removeIfExists(path);
      }
    }
  }

  /**
   * Starts a session. It is not an error if the same session already exists.
   *
   * @throws {HpkError} If it cannot be started; nothing is left of the attempt.
   */
  add(session: RelaySession): void {
    const existing = this.#running.get(session.id);
    if (existing !== undefined) {
      if (JSON.stringify(existing.session) === JSON.stringify(session)) return;
      throw refusal(session.id, "another session has that id", "remove that one first");
    }
    writeFileAtomic(this.#filePath(session.id), `${JSON.stringify(session)}\n`, 0o600);
    const opened: FileDescriptor[] = [];
    const taps: FileDescriptor[] = [];
    try {
      const host = this.#openHost(session, taps);
      const container = this.#openContainer(session, opened, taps);
      const rules = session.filter
        ? sourceRules(
          session.mac,
          session.address === null ? undefined : parseIpv4(session.address),
        )
        : undefined;
      // Only now, when nothing can fail any more: until then, closing them removes them.
      for (const tap of taps) setTapPersistent(tap, true);
      const { id, mtu } = session;
      const counters = this.#options.thread.add({ id, mtu, rules, offload: true, host, container });
      const ended = Promise.withResolvers<void>();
      const namespace = namespaceOf(session);
      this.#running.set(id, { session, counters, since: performance.now(), ended, namespace });
    } catch (error) {
      for (const descriptor of [...opened, ...taps]) descriptor.close();
      this.#forget(session.id);
      if (!(error instanceof SystemCallError)) throw error;
      throw refusal(session.id, error.message, "check the namespace and the names");
    }
  }

  /** Ends a session and removes its TAPs. @return Whether there was one. */
  async remove(id: string): Promise<boolean> {
    const running = this.#running.get(id);
    if (running === undefined) return false;
    this.#options.thread.remove(id, true);
    await running.ended.promise;
    return true;
  }

  /**
   * Ends sessions whose namespace has lost its name. Call it periodically: an open TAP keeps its
   * namespace alive, so the kernel does not report it.
   */
  endVanished(): void {
    for (const [id, { session, namespace }] of this.#running) {
      if (namespace === namespaceOf(session)) continue;
      this.#options.log(`${id}: its namespace is gone`);
      this.#options.thread.remove(id, true);
    }
  }

  /** Call it when the relay's thread reports the end of a session. */
  onEnded(id: string, reason: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (reason !== "") this.#options.log(`${id}: ended: ${reason}`);
    this.#running.delete(id);
    this.#forget(id);
    running.ended.resolve();
  }

  /** Status of every session. */
  status(): RelaySessionStatus[] {
    return [...this.#running.values()].map(({ session, counters, since }) => ({
      id: session.id,
      datapath: session.datapath,
      hostTap: session.hostTap,
      uptime: (performance.now() - since) / 1000,
      counters: readCounters(counters),
    }));
  }

  #openHost(session: RelaySession, taps: FileDescriptor[]): EndSpec {
    const { descriptor } = openTapAs(session.hostTap, session.mtu);
    taps.push(descriptor);
    return { kind: "tap", name: session.hostTap, fd: descriptor.fd };
  }

  #openContainer(
    session: RelaySession,
    opened: FileDescriptor[],
    taps: FileDescriptor[],
  ): EndSpec {
    if (session.container !== null) {
      const { namespace, tap: name } = session.container;
      const { descriptor } = inNetNamespace(namespace, () => openTapAs(name, session.mtu));
      taps.push(descriptor);
      return { kind: "tap", name, fd: descriptor.fd };
    }
    const directory = relaySessionDirectory(this.#options.directory, session.id);
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = relaySocketPath(this.#options.directory, session.id);
    // A killed daemon leaves it; the directory's lock keeps two daemons apart.
    removeIfExists(path);
    const listener = listenUnix(path);
    opened.push(listener);
    Deno.chmodSync(path, 0o600);
    if (session.uid !== 0) {
      Deno.chownSync(directory, session.uid, null);
      Deno.chownSync(path, session.uid, null);
    }
    return { kind: "listen", path, fd: listener.fd, uid: session.uid };
  }

  /** Removes a session's files. */
  #forget(id: string): void {
    removeIfExists(this.#filePath(id));
    removeIfExists(relaySessionDirectory(this.#options.directory, id));
  }

  #filePath(id: string): string {
    return relaySessionFile(this.#options.directory, id);
  }
}

function refusal(id: string, why: string, fix: string): HpkError {
  return new HpkError({ what: `cannot start session ${id}`, why, fix });
}

function namespaceOf(session: RelaySession): number | undefined {
  if (session.container === null) return undefined;
  try {
    return Deno.statSync(session.container.namespace).ino ?? undefined;
  } catch {
    return undefined;
  }
}
