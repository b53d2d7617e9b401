import { main } from "./src/cli/dispatch.ts";

Deno.exit(await main(Deno.args));
