/** A temporary directory for one test, removed with its contents at the end of its scope. */
export class TempDirectory implements Disposable {
  /** Absolute path. */
  readonly path = Deno.makeTempDirSync({ prefix: "hpk-test-" });

  /** Path of something in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file; returns its path. */
  write(name: string, text: string, mode = 0o644): string {
    Deno.writeTextFileSync(this.at(name), text, { mode });
    return this.at(name);
  }

  /** Writes an executable shell script; returns its path. */
  program(name: string, script: string): string {
    return this.write(name, `#!/bin/sh\n${script}\n`, 0o755);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
