import type { Runtime } from "../../containers/runtime.ts";
import { runContainer } from "./run.ts";
import { sweepContainers, takeDownContainer } from "../../containers/take_down.ts";

/** Containers of OCI images, run by crun under conmon. */
export const crunRuntime: Runtime = {
  run: runContainer,
  takeDown: takeDownContainer,
  sweep: (dryRun) => Promise.resolve(sweepContainers(dryRun)),
};
