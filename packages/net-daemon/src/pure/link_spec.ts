import type { SourceRules } from "./source_filter.ts";

/** One end of a session, as described to the relay's thread, which takes over the descriptors. */
export type EndSpec =
  /** A TAP, opened with virtio headers. */
  | { readonly kind: "tap"; readonly name: string; readonly fd: number }
  /** A listening socket: one peer at a time, of this user or root. */
  | { readonly kind: "listen"; readonly path: string; readonly fd: number; readonly uid: number }
  /** A socket to connect to, again and again. */
  | { readonly kind: "connect"; readonly path: string };

/** A session, as described to the relay's thread. */
export interface LinkSpec {
  readonly id: string;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** The container's addresses, to check the source of its frames; undefined to let all pass. */
  readonly rules: SourceRules | undefined;
  /** Whether offload may be agreed on with a peer. */
  readonly offload: boolean;
  readonly host: EndSpec;
  readonly container: EndSpec;
}

/** Orders to the relay's thread. Each message comes with one signal of its eventfd. */
export type RelayOrder =
  | { readonly kind: "add"; readonly link: LinkSpec; readonly counters: SharedArrayBuffer }
  /** @property forget Whether to remove persistent TAPs. */
  | { readonly kind: "remove"; readonly id: string; readonly forget: boolean }
  | { readonly kind: "measure" }
  | { readonly kind: "stop" };

/** Reports of the relay's thread. */
export type RelayReport =
  | { readonly kind: "log"; readonly id: string; readonly text: string }
  /** A session is over: removed as ordered, or one of its TAPs is gone. */
  | { readonly kind: "ended"; readonly id: string; readonly reason: string }
  /** Bytes in use of the thread's heap. */
  | { readonly kind: "measured"; readonly heapBytes: number }
  | { readonly kind: "stopped" };
