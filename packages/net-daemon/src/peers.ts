/**
 * Sources of a session's peers: a socket that they connect to, or one that we connect to. There is
 * one peer at a time; it may disconnect and come back.
 */

import {
  acceptUnix,
  connectUnix,
  EPOLLIN,
  FileDescriptor,
  peerCredentials,
  SystemCallError,
} from "@hpk/core/ffi";
import type { Poller, Watch } from "./poller.ts";
import { backoffMs } from "./pure/backoff.ts";

/** Connections that lasted at least this long reset the pauses, in ms. */
const LASTING_MS = 1000;

/** Events of a source of peers. */
export interface PeerEvents {
  /** Whether there is a peer already. */
  readonly hasPeer: () => boolean;
  /** A peer has connected; the receiver owns the descriptor. */
  readonly onPeer: (connection: FileDescriptor) => void;
  /** A peer was refused. */
  readonly onRefused: () => void;
  readonly log: (text: string) => void;
}

/** A source of peers. */
export interface PeerSource {
  /** When to call `tick` next, in ms; infinity for never. */
  readonly due: number;
  tick(now: number): void;
  /** The peer has disconnected. */
  lost(now: number): void;
  close(): void;
}

/** A socket that a peer connects to. */
export class PeerListener implements PeerSource {
  readonly due = Infinity;
  readonly #listener: FileDescriptor;
  readonly #uid: number;
  readonly #events: PeerEvents;
  readonly #watch: Watch;

  /** @param uid User whose processes may connect, besides root's. */
  constructor(listener: FileDescriptor, uid: number, poller: Poller, events: PeerEvents) {
    this.#listener = listener;
    this.#uid = uid;
    this.#events = events;
    this.#watch = poller.watch(listener.fd, EPOLLIN, () => this.#accept());
  }

  tick(): void {}

  lost(): void {}

  close(): void {
    this.#watch.end();
    this.#listener.close();
  }

  #accept(): void {
    const connection = acceptUnix(this.#listener.fd);
    if (connection === undefined) return;
    // According to the kernel, not to the peer.
    const { pid, uid } = peerCredentials(connection.fd);
    if (uid !== 0 && uid !== this.#uid) this.#refuse(connection, pid, `it is of user ${uid}`);
    else if (this.#events.hasPeer()) this.#refuse(connection, pid, "there is a peer already");
    else {
      this.#events.log(`pid ${pid} of user ${uid} connected`);
      this.#events.onPeer(connection);
    }
  }

  #refuse(connection: FileDescriptor, pid: number, why: string): void {
    connection.close();
    this.#events.onRefused();
    this.#events.log(`refused pid ${pid}: ${why}`);
  }
}

/** A socket that we connect to, with growing pauses between attempts. */
export class PeerConnector implements PeerSource {
  due = 0;
  readonly #path: string;
  readonly #events: PeerEvents;
  #attempt = 0;
  #connectedAt = 0;

  constructor(path: string, events: PeerEvents) {
    this.#path = path;
    this.#events = events;
  }

  tick(now: number): void {
    if (now < this.due) return;
    let connection: FileDescriptor;
    try {
      connection = connectUnix(this.#path);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (this.#attempt === 0) this.#events.log(`waiting for the other end: ${error.message}`);
      this.due = now + backoffMs(this.#attempt++);
      return;
    }
    this.due = Infinity;
    this.#connectedAt = now;
    this.#events.log(`connected to ${this.#path}`);
    this.#events.onPeer(connection);
  }

  lost(now: number): void {
    // A peer that accepts only to close at once must not make us spin.
    if (now - this.#connectedAt > LASTING_MS) this.#attempt = 0;
    this.due = now + backoffMs(this.#attempt++);
  }

  close(): void {
    this.due = Infinity;
  }
}
