import type { Settings } from "@hpk/core";
import { faultPoint, pause, readFileIfExists } from "@hpk/core/os";

/** Poll interval in ms: flanneld writes its file a few hundred ms after its start. */
const POLL_MS = 100;

/**
 * Waits for flanneld's subnet file, at most as long as the settings say; the caller finds out
 * whether it exists. Nothing has been created yet, so a signal may end the wait.
 */
export async function awaitFlannel({ flannelEnv, wait }: Settings): Promise<void> {
  const deadline = performance.now() + wait * 1000;
  faultPoint("flannel.awaited");
  while (!readFileIfExists(flannelEnv)?.trim() && performance.now() < deadline) {
    await pause(POLL_MS);
  }
}
