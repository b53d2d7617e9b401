import { assert, assertEquals } from "@std/assert";
import {
  containerResolver,
  formatHosts,
  formatResolvConf,
  isLoopback,
  namedResolver,
  parseResolvConf,
  replaceHostsEntries,
} from "./resolver.ts";

Deno.test("parseResolvConf() reads resolv.conf(5)", () => {
  const cases: [string, string, ReturnType<typeof parseResolvConf>][] = [
    ["empty", "", { servers: [], search: [], options: [] }],
    [
      "everything",
      "# made by hand\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n" +
      "search a.example b.example\noptions ndots:2 edns0\noptions rotate\n",
      {
        servers: ["192.0.2.53", "2001:db8::53"],
        search: ["a.example", "b.example"],
        options: ["ndots:2", "edns0", "rotate"],
      },
    ],
    [
      "CRLF, tabs, trailing comments",
      "nameserver\t192.0.2.53 # the first\r\n\r\n; no\r\nsearch\ta.example ; x\r\n",
      { servers: ["192.0.2.53"], search: ["a.example"], options: [] },
    ],
    [
      "of search and domain the last counts",
      "domain old.example\nsearch a.example\ndomain new.example\n",
      { servers: [], search: ["new.example"], options: [] },
    ],
    [
      "unknown keywords and a server without an address are ignored",
      "sortlist 192.0.2.0\nnameserver\ncolour blue\n",
      { servers: [], search: [], options: [] },
    ],
  ];
  for (const [what, text, expected] of cases) assertEquals(parseResolvConf(text), expected, what);
});

Deno.test("isLoopback() is true for addresses that only the host itself can reach", () => {
  for (const address of ["127.0.0.53", "127.0.0.1", "127.1.2.3", "::1"]) {
    assert(isLoopback(address));
  }
  for (const address of ["192.0.2.127", "128.0.0.1", "::11", "12.7.0.0"]) {
    assert(!isLoopback(address), address);
  }
});

Deno.test("containerResolver() drops the host's loopback, and prefers the user's servers", () => {
  const host = { servers: ["127.0.0.53", "192.0.2.53"], search: ["a.example"], options: ["edns0"] };
  const cases: [string[], string[]][] = [
    [[], ["192.0.2.53"]],
    [["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]],
    [["127.0.0.1"], ["127.0.0.1"]],
  ];
  for (const [own, servers] of cases) {
    assertEquals(containerResolver(host, own), { ...host, servers });
  }
});

Deno.test("formatResolvConf() writes what parseResolvConf() reads", () => {
  const config = {
    servers: ["192.0.2.53", "2001:db8::53"],
    search: ["a.example", "b.example"],
    options: ["ndots:2", "edns0"],
  };
  const text = "search a.example b.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n" +
    "options ndots:2 edns0\n";
  assertEquals(formatResolvConf(config), text);
  assertEquals(parseResolvConf(text), config);
  assertEquals(formatResolvConf({ servers: [], search: [], options: [] }), "");
});

const OWN = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.96.0.2\tweb\n";

Deno.test("formatHosts() has loopback, the container, and the host's other entries", () => {
  const cases: [string, string, string][] = [
    ["nothing", "", OWN],
    [
      "Debian's own file",
      "127.0.0.1\tlocalhost\n127.0.1.1\tnode1.example node1\n\n# IPv6\n::1 localhost\n" +
      "ff02::1 ip6-allnodes\n",
      `${OWN}ff02::1\tip6-allnodes\n`,
    ],
    [
      "a cluster's nodes",
      "192.0.2.1 login1.example login1 # the login node\r\n192.0.2.2\tstore\r\n",
      `${OWN}192.0.2.1\tlogin1.example login1\n192.0.2.2\tstore\n`,
    ],
    [
      "a name of the container",
      "192.0.2.9 web\n192.0.2.8 web other\n",
      `${OWN}192.0.2.8\tother\n`,
    ],
    ["garbage", "192.0.2.1\nnot-an-address x\n999.0.0.1 y\n", OWN],
  ];
  for (const [what, hostsFile, expected] of cases) {
    assertEquals(formatHosts(hostsFile, ["10.96.0.2"], ["web"]), expected, what);
  }
});

Deno.test("formatHosts() lists each of the container's names once, the host name first", () => {
  const line = (names: string[]) => formatHosts("", ["10.96.0.2"], names).split("\n")[2];
  assertEquals(line(["my-web", "my_web"]), "10.96.0.2\tmy-web my_web");
  assertEquals(line(["web", "web"]), "10.96.0.2\tweb");
});

Deno.test("formatHosts() writes a line for each of the container's addresses", () => {
  const lines = formatHosts("", ["10.96.0.2", "fd00:96::2"], ["web"]).split("\n");
  assertEquals(lines.slice(2), ["10.96.0.2\tweb", "fd00:96::2\tweb", ""]);
});

Deno.test("namedResolver() uses our name server, and searches the containers' own domain first", () => {
  const host = { servers: ["192.0.2.53"], search: ["example.test", "."], options: ["ndots:2"] };
  assertEquals(
    formatResolvConf(namedResolver(host, "10.96.0.1")),
    "search hpk example.test\nnameserver 10.96.0.1\noptions ndots:2\n",
  );
});

Deno.test("replaceHostsEntries() replaces the lines of other containers, and no others", () => {
  const others = ["10.96.0.3\tweb.hpk web", "10.96.0.4\tdb.hpk db"];
  const first = formatHosts("192.0.2.9 storage # of the cluster", ["10.96.0.2"], ["a"], others);
  assertEquals(
    first,
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.96.0.2\ta\n" +
      "10.96.0.3\tweb.hpk web # hpktainer\n10.96.0.4\tdb.hpk db # hpktainer\n192.0.2.9\tstorage\n",
  );
  const none = replaceHostsEntries(first, []);
  assertEquals(none, formatHosts("192.0.2.9 storage", ["10.96.0.2"], ["a"]));
  const again = replaceHostsEntries(none, others);
  assertEquals(again.split("\n").toSorted(), first.split("\n").toSorted());
  assertEquals(replaceHostsEntries(again, others), again);
});
