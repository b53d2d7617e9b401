import { askToBeAttached, follow } from "../monitor/attach_client.ts";
import { OwnCaller } from "./own_caller.ts";
import { mayBeServed } from "../monitor/pure/start_order.ts";

/**
 * Runs the program. Loads first what a start needs when the monitor attaches it, and the rest only
 * when it does not.
 *
 * @param argv Arguments after the program's name.
 * @return The exit status, unless the process becomes Apptainer.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const asked = mayBeServed(argv) ? await askToBeAttached() : "declined";
  if (typeof asked === "object") {
    try {
      return follow(asked);
    } catch (error) {
      return (await import("./dispatch.ts")).fail(error);
    }
  }
  const caller = new OwnCaller();
  if (asked === "lost") {
    const { releaseOwn } = await import("../attach/teardown.ts");
    await releaseOwn(caller.process);
  }
  const dispatch = await import("./dispatch.ts");
  return await dispatch.main(caller, argv);
}
