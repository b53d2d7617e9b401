import { main } from "./src/cli/main.ts";

Deno.exit(main(Deno.args));
