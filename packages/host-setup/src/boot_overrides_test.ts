import { assert, assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { writeOverrides } from "./boot_overrides.ts";

async function inDirectory(act: (directory: string) => void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    act(`${directory}/overrides`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const masked = (directory: string): string[] =>
  Array.from(Deno.readDirSync(`${directory}/etc/systemd/system`), ({ name }) => name);

Deno.test("writeOverrides() writes the directory, and nothing the second time", () =>
  inDirectory((directory) => {
    const first = writeOverrides(directory, []);
    assertEquals(first.changed.length, first.overrides.files.size);
    assertEquals(masked(directory).length, first.overrides.masks.length);
    assertEquals(writeOverrides(directory, []).changed, []);
  }));

Deno.test("writeOverrides() brings the directory up to date, and repairs it", () =>
  inDirectory((directory) => {
    writeOverrides(directory, []);
    const { changed } = writeOverrides(`${directory}/`, ["NetworkManager"]);
    assert(changed.includes(`${directory}/etc/systemd/system/NetworkManager.service`));
    assert(!masked(directory).includes("NetworkManager.service"));
    const unit = `${directory}/etc/systemd/system/systemd-networkd.service`;
    Deno.writeTextFileSync(unit, "[Unit]\n");
    assertEquals(writeOverrides(directory, ["NetworkManager"]).changed, [unit]);
    assertEquals(Deno.readTextFileSync(unit), "");
  }));

Deno.test("writeOverrides() completes a run that was cut short", () =>
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/etc/systemd/system`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/README.hpk-new`, "Made");
    writeOverrides(directory, []);
    assertEquals(Array.from(Deno.readDirSync(directory), ({ name }) => name).sort(), [
      "README",
      "binds",
      "etc",
    ]);
  }));

Deno.test("writeOverrides() does not touch a directory that is not ours, or cannot be bound", () =>
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/etc/systemd/system`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/etc/systemd/system/web.service`, "[Service]\n");
    assertThrows(() => writeOverrides(directory, []), HpkError, "did not write");
    for (const name of ["", "/", "/a,b", "/a:b", "/a b"]) {
      assertThrows(() => writeOverrides(name, []), HpkError, "cannot write to", name);
    }
    assertThrows(() => writeOverrides(`${directory}/x`, ["nginx"]), HpkError, "nginx");
    assertThrows(
      () => writeOverrides(`${directory}/etc/systemd/system/web.service/x`, []),
      HpkError,
    );
  }));
