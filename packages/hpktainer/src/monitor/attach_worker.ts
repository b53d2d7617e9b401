/// <reference lib="deno.worker" />
/** The monitor's thread that attaches starts. Its one message is the listening socket's descriptor. */

import { FileDescriptor } from "@hpk/core/ffi";
import { Ledger } from "@hpk/core/os";
import { serveStarts } from "./attach_service.ts";

self.onmessage = ({ data }: MessageEvent<number>) =>
  serveStarts(new Ledger(), new FileDescriptor(data));
