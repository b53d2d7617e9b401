/**
 * Counters of a session. They are in memory that the relay's thread writes and the main thread
 * reads: an array of doubles, exact up to 2^53.
 */

/** Counters in their order. A frame may be a segment of up to 64 KiB where offload is in use. */
export const COUNTERS = [
  /** From the container. */
  "txFrames",
  "txBytes",
  /** To the container. */
  "rxFrames",
  "rxBytes",
  /** Dropped: from an address that is not the container's. */
  "droppedFilter",
  /** Dropped: larger than the MTU. */
  "droppedOversize",
  /** Dropped: the peer does not read, and its queue is full. */
  "droppedQueue",
  /** Dropped: the interface is down, or has no memory for it. */
  "droppedDevice",
  /** Dropped: an invalid virtio header, or a frame that the other end cannot accept. */
  "droppedInvalid",
  /** Peers that connected. */
  "connections",
  /** Peers that were refused. */
  "refused",
  /** Connections that were closed because of invalid data. */
  "malformed",
  /** Times that segmentation offload was switched off because the kernel refused a segment. */
  "fallbacks",
  /** 1 while frames can flow. */
  "connected",
  /** 1 while segments of up to 64 KiB flow towards the container. */
  "offload",
] as const;

/** Name of a counter. */
export type CounterName = typeof COUNTERS[number];

/** Counters by name. */
export type CounterValues = Readonly<Record<CounterName, number>>;

/** Bytes of a session's counters. */
export const COUNTERS_BYTES = COUNTERS.length * Float64Array.BYTES_PER_ELEMENT;

/** Index of each counter. */
export const AT = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Readonly<
  Record<CounterName, number>
>;

/** The counters by name. */
export function readCounters(values: Float64Array): CounterValues {
  return Object.fromEntries(COUNTERS.map((name, index) => [name, values[index]!])) as Record<
    CounterName,
    number
  >;
}
