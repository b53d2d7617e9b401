import type { Runtime } from "../runtime.ts";
import { runContainer } from "./run_container.ts";
import { sweepContainers, takeDownContainer } from "./take_down.ts";

/** Containers of OCI images, run by crun under conmon. */
export const crunRuntime: Runtime = {
  run: runContainer,
  takeDown: takeDownContainer,
  sweep: (dryRun) => Promise.resolve(sweepContainers(dryRun)),
};
