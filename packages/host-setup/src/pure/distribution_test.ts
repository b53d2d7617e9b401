import { assertEquals } from "@std/assert";
import {
  APPTAINER,
  installCommand,
  NEEDS,
  packageOf,
  readDistribution,
  removeCommand,
} from "./distribution.ts";

const FAMILIES: readonly (readonly [string, string, string | undefined])[] = [
  ['ID="amzn"\nID_LIKE="fedora"\nPRETTY_NAME="Amazon Linux 2023"\n', "Amazon Linux 2023", "dnf"],
  ["NAME=Fedora\nID=fedora\nPRETTY_NAME='Fedora 42'\n", "Fedora 42", "dnf"],
  ['ID="rocky"\r\nID_LIKE="rhel centos fedora"\r\nPRETTY_NAME="Rocky"\r\n', "Rocky", "dnf"],
  ["ID=debian\n", "debian", "apt"],
  ['ID=pop\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Pop \\"OS\\""\n', 'Pop "OS"', "apt"],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "opensuse-leap", "zypper"],
  ["ID=arch\nPRETTY_NAME=Arch\n", "Arch", undefined],
  ["# nothing\n", "unknown", undefined],
];

for (const [text, title, manager] of FAMILIES) {
  Deno.test(`readDistribution reads ${title}`, () => {
    const distribution = readDistribution(text);
    assertEquals([distribution.title, distribution.manager], [title, manager as "apt"]);
  });
}

Deno.test("readDistribution works without a file", () => {
  assertEquals(readDistribution(undefined).id, "unknown");
});

Deno.test("packageOf: every need has a package in every family, Apptainer not everywhere", () => {
  for (const id of ["debian", "amzn", "rhel", "suse"]) {
    const distribution = readDistribution(`ID=${id}`);
    for (const need of NEEDS) assertEquals(typeof packageOf(need, distribution), "string");
  }
  assertEquals(packageOf(APPTAINER, readDistribution("ID=debian")), undefined);
  assertEquals(packageOf(APPTAINER, readDistribution("ID=fedora")), "apptainer");
  assertEquals(packageOf(NEEDS[0]!, readDistribution("ID=arch")), undefined);
});

Deno.test("installCommand never prompts", () => {
  assertEquals(
    installCommand("apt", ["a", "b"]).join(" "),
    "apt-get -y --no-install-recommends install a b",
  );
  assertEquals(installCommand("dnf", ["a"]).join(" "), "dnf -y install a");
  assertEquals(installCommand("zypper", ["a"])[1], "--non-interactive");
  assertEquals(removeCommand("apt", ["a", "b"]), "apt-get remove a b");
});
