import type { SourceRules } from "./source_filter.ts";

/** One end of a session, as the relay's thread is told. Descriptors become the thread's. */
export type EndSpec =
  /** A TAP, opened with virtio headers. */
  | { readonly kind: "tap"; readonly name: string; readonly fd: number }
  /** A listening socket: one peer at a time, of this user or root. */
  | { readonly kind: "listen"; readonly path: string; readonly fd: number; readonly uid: number }
  /** A socket to connect to, again and again. */
  | { readonly kind: "connect"; readonly path: string };

/** A session, as the relay's thread is told. */
export interface LinkSpec {
  readonly id: string;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** Where the container's frames must come from; undefined to let all pass. */
  readonly rules: SourceRules | undefined;
  /** Whether offload may be agreed on with a peer. */
  readonly offload: boolean;
  readonly host: EndSpec;
  readonly container: EndSpec;
}

/** What the relay's thread is told. Each message comes with one signal of its eventfd. */
export type RelayOrder =
  | { readonly kind: "add"; readonly link: LinkSpec; readonly counters: SharedArrayBuffer }
  /** @property forget Whether TAPs that stay when they are closed are to go. */
  | { readonly kind: "remove"; readonly id: string; readonly forget: boolean }
  | { readonly kind: "measure" }
  | { readonly kind: "stop" };

/** What the relay's thread tells. */
export type RelayReport =
  | { readonly kind: "log"; readonly id: string; readonly text: string }
  /** A session is over: removed as was ordered, or one of its TAPs is gone. */
  | { readonly kind: "ended"; readonly id: string; readonly reason: string }
  /** Bytes in use of the thread's heap. */
  | { readonly kind: "measured"; readonly heapBytes: number }
  | { readonly kind: "stopped" };
