import type { Settings } from "@hpk/core";
import { faultPoint, pause, readFileIfExists } from "@hpk/core/os";

/** Pause between two looks, in ms: flanneld writes its file some hundred ms after its start. */
const POLL_MS = 100;

/**
 * Waits for flanneld's subnet file, as long as the settings say; whether it came is seen by who reads
 * it. Nothing has been made meanwhile, so that a signal may end the wait.
 */
export async function awaitFlannel({ flannelEnv, wait }: Settings): Promise<void> {
  const deadline = performance.now() + wait * 1000;
  faultPoint("flannel.awaited");
  while (!readFileIfExists(flannelEnv)?.trim() && performance.now() < deadline) {
    await pause(POLL_MS);
  }
}
