import { assertEquals } from "@std/assert";
import { TempDirectory } from "../testing/mod.ts";
import { parseCidr } from "../model/ipv4.ts";
import { readAutomaticNetwork, rememberAutomaticNetwork } from "./automatic_network.ts";

const SUBNET = parseCidr("10.213.96.0/21")!;

Deno.test("a remembered subnet is read again, but not where others may have written it", () => {
  using directory = new TempDirectory();
  const path = directory.at("state/network.json");
  assertEquals(readAutomaticNetwork(path), undefined);
  rememberAutomaticNetwork(SUBNET, path);
  // Only root's file counts.
  const own = Deno.uid() === 0 ? SUBNET : undefined;
  assertEquals(readAutomaticNetwork(path), own);
  for (const [mode, expected] of [[0o664, undefined], [0o646, undefined], [0o600, own]] as const) {
    Deno.chmodSync(path, mode);
    assertEquals(readAutomaticNetwork(path), expected);
  }
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.padEnd(5000));
  assertEquals(readAutomaticNetwork(path), undefined);
  rememberAutomaticNetwork(SUBNET, path);
  const link = directory.at("link.json");
  Deno.symlinkSync(path, link);
  assertEquals(readAutomaticNetwork(link), undefined);
  if (Deno.uid() === 0) {
    Deno.chownSync(path, 65534, 65534);
    assertEquals(readAutomaticNetwork(path), undefined);
  }
});
