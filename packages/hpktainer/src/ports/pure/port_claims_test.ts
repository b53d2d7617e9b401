import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { assignPorts, type PortClaim } from "./port_claims.ts";
import { formatPublish, parsePublish } from "@hpk/core";

const claim = (text: string, owner: string): PortClaim => ({
  ...parsePublish(
    `${
      text.replace(/(\/[a-z]+)?$/, (protocol) => `:${text.match(/[0-9-]+(?=\/|$)/)![0]}${protocol}`)
    }`,
  )!,
  owner: () => owner,
});

const assign = (requests: string[], claims: PortClaim[] = [], kernelPort = 40000) =>
  assignPorts(requests.map((text) => parsePublish(text)!), claims, [40000, 40009], () => kernelPort)
    .map(formatPublish);

Deno.test("assignPorts assigns what is named and free", () => {
  assertEquals(assign(["80:80", "80:80/udp", "127.0.0.1:81:80", "127.0.0.2:81:80"]), [
    "80:80/tcp",
    "80:80/udp",
    "127.0.0.1:81:80/tcp",
    "127.0.0.2:81:80/tcp",
  ]);
});

Deno.test("assignPorts names the owner of a taken port", () => {
  const claims = [
    claim("80", "container 'web' has it"),
    claim("127.0.0.1:8000-8010", "nginx (pid 7) listens on it"),
    claim("53/udp", "dnsmasq (pid 8) listens on it"),
  ];
  const cases: [string, string][] = [
    ["80:1", "cannot publish 80:1/tcp: container 'web' has it; "],
    ["127.0.0.1:80:1", "cannot publish 127.0.0.1:80:1/tcp: container 'web' has it; "],
    ["8005:1", "cannot publish 8005:1/tcp: nginx (pid 7) listens on it; "],
    ["8010-8011:1-2", "cannot publish 8010-8011:1-2/tcp: nginx (pid 7) listens on it; "],
    ["53:53/udp", "cannot publish 53:53/udp: dnsmasq (pid 8) listens on it; "],
  ];
  for (const [request, message] of cases) {
    const error = assertThrows(() => assign([request], claims), HpkError);
    assertEquals(error.message.slice(0, message.length), message);
  }
  assertEquals(assign(["53:53/tcp", "127.0.0.2:8005:1", "[::1]:8005:1"], claims), [
    "53:53/tcp",
    "127.0.0.2:8005:1/tcp",
    "[::1]:8005:1/tcp",
  ]);
});

Deno.test("assignPorts refuses a port that is requested twice", () => {
  const error = assertThrows(() => assign(["80:80", "127.0.0.1:80:81"]), HpkError);
  assertEquals(error.parts.why, "80:80/tcp is requested as well");
});

Deno.test("assignPorts finds free ports for host port 0", () => {
  assertEquals(assign(["0:80"]), ["40000:80/tcp"]);
  assertEquals(assign(["0:80"], [], 40009), ["40009:80/tcp"]);
  assertEquals(assign(["0:80", "0:81", "40000:82"]), [
    "40000:82/tcp",
    "40001:80/tcp",
    "40002:81/tcp",
  ]);
  assertEquals(assign(["0:80-83"], [claim("40002", "x")]), ["40003-40006:80-83/tcp"]);
  assertEquals(assign(["0:80"], [claim("40009", "x")], 40009), ["40000:80/tcp"]);
});

Deno.test("assignPorts skips a port that the kernel chooses and another program has", () => {
  assertEquals(assign(["0:80"], [claim("40005-40006", "x")], 40005), ["40007:80/tcp"]);
  assertEquals(assign(["0:80", "0:81"], [], 40009), ["40009:80/tcp", "40000:81/tcp"]);
  // The range can change in between, and a run of ports does not begin at its end.
  assertEquals(assign(["0:80"], [], 1024), ["40000:80/tcp"]);
  assertEquals(assign(["0:80"], [], 50003), ["40003:80/tcp"]);
  assertEquals(assign(["0:80-82"], [], 40009), ["40001-40003:80-82/tcp"]);
});

Deno.test("assignPorts fails when no port is free", () => {
  const claims = [claim("40000-40009", "x")];
  for (const request of ["0:80", "0:1-11"]) {
    assertThrows(() => assign([request], claims), HpkError, "ports 40000-40009 is free");
  }
});
