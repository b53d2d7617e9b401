import { assertEquals } from "@std/assert";
import { parsePublish } from "@hpk/core";
import { describePorts, formatPorts, type PortView } from "./port_view.ts";

const view = (text: string, container: string): PortView => ({
  container,
  id: "0123456789ab",
  address: "10.96.0.2",
  ...parsePublish(text)!,
});

Deno.test("formatPorts prints a line for each", () => {
  const views = [view("8080:80", "web"), view("127.0.0.1:5000-5009:6000-6009/udp", "voice")];
  assertEquals(
    formatPorts(views),
    "CONTAINER  HOST       PORT       PROTOCOL  FORWARDED TO\n" +
      "web        *          8080       tcp       10.96.0.2:80\n" +
      "voice      127.0.0.1  5000-5009  udp       10.96.0.2:6000-6009\n",
  );
});

Deno.test("describePorts uses the syntax of --publish", () => {
  assertEquals(describePorts([]), "-");
  assertEquals(
    describePorts([view("80:80", "a"), view("[::1]:53:53/udp", "a")]),
    "80:80/tcp, [::1]:53:53/udp",
  );
});
