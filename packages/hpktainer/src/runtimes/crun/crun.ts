import type { Runtime } from "../../containers/runtime.ts";
import { CONMON_PROGRAM } from "./conmon.ts";
import { CRUN_PROGRAM } from "./engine.ts";
import { execInContainer } from "./exec.ts";
import { makeContainer } from "./make.ts";
import { prepareContainer } from "./prepare.ts";
import { attachStreams } from "./streams.ts";

/** Runs containers of OCI images with crun under conmon. */
export const crunRuntime: Runtime = {
  programs: [CRUN_PROGRAM, CONMON_PROGRAM],
  prepare(container) {
    const prepared = prepareContainer(container);
    return {
      warnings: prepared.warnings,
      make: (caller, network, mode) => makeContainer(caller, prepared, network, mode),
    };
  },
  exec: execInContainer,
  attach: attachStreams,
};
