import type { ProcessId } from "@hpk/core";
import { thisProcess } from "@hpk/core/process";
import type { Caller, OutputStream, Streams } from "../shared/pure/caller.ts";

/**
 * This process as a caller. Each part is read only when it is used: it costs time, and the working
 * directory may be gone.
 */
export class OwnCaller implements Caller {
  readonly uid = Deno.uid() ?? 0;
  readonly gid = Deno.gid() ?? 0;
  readonly streams: Streams = {
    stdin: {
      descriptor: 0,
      isTerminal: () => Deno.stdin.isTerminal(),
      read: (buffer) => Deno.stdin.read(buffer),
    },
    stdout: output(1, Deno.stdout),
    stderr: output(2, Deno.stderr),
    terminalSize: () => Deno.consoleSize(),
  };

  #environment: Readonly<Record<string, string>> | undefined;
  #process: ProcessId | undefined;

  get environment(): Readonly<Record<string, string>> {
    return this.#environment ??= Deno.env.toObject();
  }

  get directory(): string {
    return Deno.cwd();
  }

  get process(): ProcessId {
    return this.#process ??= thisProcess();
  }
}

function output(descriptor: number, stream: typeof Deno.stdout): OutputStream {
  return {
    descriptor,
    isTerminal: () => stream.isTerminal(),
    write: (bytes) => stream.write(bytes),
    writeSync: (bytes) => stream.writeSync(bytes),
  };
}
