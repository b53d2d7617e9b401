import { assertEquals } from "@std/assert";
import { parseSocketTable } from "./socket_table.ts";

/** As Linux 6 on x86_64 prints it. */
const TCP =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
   2: 0B6433C6:0016 016433C6:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 4713 2 0000000000000000 20 4 30 10 -1
`;

const TCP6 =
  `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:0278 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: B80D0120000000000000000001000000:0279 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
`;

const UDP =
  `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  811: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 99 2 0000000000000000 0
  812: 0B6433C6:8000 016433C6:0035 01 00000000:00000000 00:00000000 00000000   101        0 98 2 0000000000000000 0
`;

Deno.test("parseSocketTable finds the sockets that listen", () => {
  assertEquals(parseSocketTable(TCP, "tcp"), [
    { protocol: "tcp", address: "127.0.0.1", port: 8080, inode: "4711" },
    { protocol: "tcp", address: "0.0.0.0", port: 22, inode: "4712" },
  ]);
  assertEquals(parseSocketTable(UDP, "udp"), [
    { protocol: "udp", address: "127.0.0.53", port: 53, inode: "99" },
  ]);
});

Deno.test("parseSocketTable reads IPv6 addresses", () => {
  assertEquals(parseSocketTable(TCP6, "tcp").map(({ address, port }) => [address, port]), [
    [null, 80],
    ["::1", 631],
    ["127.0.0.1", 632],
    ["2001:db8::1", 633],
  ]);
});

Deno.test("parseSocketTable skips what it does not know", () => {
  assertEquals(parseSocketTable("", "tcp"), []);
  assertEquals(parseSocketTable("a b c\n0: 00:1 x 0A\n", "tcp"), []);
});
