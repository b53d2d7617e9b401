/// <reference lib="deno.worker" />
/**
 * The monitor's thread that attaches starts. Its only message is the listening socket's descriptor.
 */

import { FileDescriptor } from "@hpk/core/ffi";
import { Ledger } from "@hpk/core/os";
import { serveStarts } from "./attach_service.ts";
import { openServiceLog } from "./service_log.ts";

self.onmessage = ({ data }: MessageEvent<number>) => {
  openServiceLog(false);
  return serveStarts(new Ledger(), new FileDescriptor(data));
};
