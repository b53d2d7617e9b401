import { assertEquals, assertGreater } from "@std/assert";
import { BATCH_SIZE, FrameBatch } from "./frame_batch.ts";

Deno.test("a batch is laid out as it is sent over a stream", () => {
  const batch = new FrameBatch(new Uint8Array(BATCH_SIZE), 0);
  batch.reset(0);
  batch.bytes.fill(1, batch.next, batch.next + 20);
  batch.append(20);
  batch.append(300);
  assertEquals([...batch.bytes.subarray(0, 5)], [0, 0, 0, 20, 1]);
  assertEquals([...batch.bytes.subarray(24, 28)], [0, 0, 1, 44]);
  assertEquals([batch.count, batch.end, batch.offset(1), batch.length(1)], [2, 328, 28, 300]);
  batch.drop(0);
  assertEquals(batch.length(0), 0);
});

Deno.test("a batch has room until the largest frame would not fit, and for a bounded number", () => {
  const batch = new FrameBatch(new Uint8Array(BATCH_SIZE), 0);
  batch.reset(10);
  while (batch.hasRoom) batch.append(65563);
  assertGreater(batch.count, 1);
  assertEquals(batch.end <= BATCH_SIZE, true);
  batch.reset(0);
  while (batch.hasRoom) batch.append(60);
  assertEquals(batch.count, 256);
  batch.reset(0);
  batch.limit = 1000;
  while (batch.hasRoom) batch.append(600);
  assertEquals(batch.count, 2);
});
