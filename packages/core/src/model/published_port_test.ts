import { assertEquals } from "@std/assert";
import {
  addressesMeet,
  formatPublish,
  parseHostPorts,
  parsePublish,
  parsePublishList,
  portsMeet,
  type PublishedPort,
  withoutPorts,
} from "./published_port.ts";

const port = (
  hostPort: number,
  containerPort: number,
  rest: Partial<PublishedPort> = {},
): PublishedPort => ({
  protocol: "tcp",
  hostAddress: null,
  hostPort,
  containerPort,
  count: 1,
  ...rest,
});

Deno.test("parsePublish reads address, ports and protocol", () => {
  const cases: Record<string, PublishedPort> = {
    "8080:80": port(8080, 80),
    "8080:80/tcp": port(8080, 80),
    "5353:53/udp": port(5353, 53, { protocol: "udp" }),
    "0:80": port(0, 80),
    ":80": port(0, 80),
    "127.0.0.1::80": port(0, 80, { hostAddress: "127.0.0.1" }),
    "127.0.0.1:8080:80": port(8080, 80, { hostAddress: "127.0.0.1" }),
    "0.0.0.0:1:65535": port(1, 65535, { hostAddress: "0.0.0.0" }),
    "[::]:8080:80": port(8080, 80, { hostAddress: "::" }),
    "[FD00:0:0::1]:8080:80": port(8080, 80, { hostAddress: "fd00::1" }),
    "8000-8010:9000-9010": port(8000, 9000, { count: 11 }),
    "0:9000-9001/udp": port(0, 9000, { count: 2, protocol: "udp" }),
  };
  for (const [text, expected] of Object.entries(cases)) {
    assertEquals(parsePublish(text), expected, text);
  }
});

Deno.test("parsePublish accepts nothing else", () => {
  const wrong = [
    ...["", "80", "8080:", "8080:0", "65536:80", "80:65536", "-1:80", "08:80", "8080:80/sctp"],
    ...["8080:80/TCP", "8080:80/", "8010-8000:8000-8010", "8000-8010:80", "80:8000-8010"],
    ...["1.2.3:80:80", "1.2.3.4.5:80:80", "localhost:80:80", "::1:80:80", "[::1:80:80", "[]:80:80"],
    ...["[::1%lo]:80:80", "8080:80 ", "a:b", "80:80:80:80", "1-2-3:1-2-3", "8080:80,81:81"],
  ];
  for (const text of wrong) assertEquals(parsePublish(text), undefined, text);
});

Deno.test("formatPublish writes what parsePublish reads", () => {
  const texts = [
    ...["8080:80/tcp", "127.0.0.1:5353:53/udp", "[::1]:8000-8010:9000-9010/tcp"],
    ...["0.0.0.0:80:80/tcp", "[::]:80:80/udp"],
  ];
  for (const text of texts) assertEquals(formatPublish(parsePublish(text)!), text);
});

Deno.test("parsePublishList reads all or nothing", () => {
  assertEquals(parsePublishList(""), []);
  assertEquals(parsePublishList("80:80, 81:81"), [port(80, 80), port(81, 81)]);
  assertEquals(parsePublishList("80:80,nonsense"), undefined);
});

Deno.test("parseHostPorts reads the host side", () => {
  const host = (hostPort: number, rest = {}) => ({
    protocol: "tcp",
    hostAddress: null,
    hostPort,
    count: 1,
    ...rest,
  });
  assertEquals(parseHostPorts("8080"), host(8080) as ReturnType<typeof parseHostPorts>);
  assertEquals(
    parseHostPorts("[::1]:8000-8001/udp"),
    host(8000, { hostAddress: "::1", count: 2, protocol: "udp" }) as ReturnType<
      typeof parseHostPorts
    >,
  );
  assertEquals(parseHostPorts("8080:80"), parsePublish("8080:80"));
  for (const text of ["", "0", "0:80", "x", "8080/sctp", "1.2.3:80"]) {
    assertEquals(parseHostPorts(text), undefined, text);
  }
});

Deno.test("addressesMeet follows bind", () => {
  const cases: [string | null, string | null, boolean][] = [
    [null, "127.0.0.1", true],
    [null, "::1", true],
    ["0.0.0.0", "127.0.0.1", true],
    ["0.0.0.0", "::1", false],
    ["0.0.0.0", "::", false],
    ["::", "fd00::1", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.2", false],
  ];
  for (const [a, b, expected] of cases) {
    assertEquals(addressesMeet(a, b), expected, `${a} ${b}`);
    assertEquals(addressesMeet(b, a), expected, `${b} ${a}`);
  }
});

Deno.test("portsMeet at the edges of ranges", () => {
  const range = { hostPort: 8000, count: 10 };
  const cases: [number, number, boolean][] = [
    [7999, 1, false],
    [7999, 2, true],
    [8009, 1, true],
    [8010, 1, false],
    [7000, 2000, true],
  ];
  for (const [hostPort, count, expected] of cases) {
    assertEquals(portsMeet(range, { hostPort, count }), expected, `${hostPort}+${count}`);
    assertEquals(portsMeet({ hostPort, count }, range), expected, `${hostPort}+${count}`);
  }
});

Deno.test("withoutPorts keeps the ports before and after", () => {
  const range = port(8000, 9000, { count: 11 });
  const other = port(8003, 1, { protocol: "udp" });
  assertEquals(withoutPorts([range, other], parseHostPorts("8003-8004")!), {
    kept: [
      port(8000, 9000, { count: 3 }),
      port(8005, 9005, { count: 6 }),
      other,
    ],
    removed: [port(8003, 9003, { count: 2 })],
  });
  assertEquals(withoutPorts([range], parseHostPorts("1-65535")!), { kept: [], removed: [range] });
  assertEquals(withoutPorts([range], parseHostPorts("127.0.0.1:8000")!), {
    kept: [range],
    removed: [],
  });
});
