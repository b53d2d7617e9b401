/** docs/reference/docker-options.md lists every option of `run`, and whether we accept it. */
import { assertEquals } from "@std/assert";
import { ALL_RUN_FLAGS } from "./run_flags.ts";

const TABLE = Deno.readTextFileSync(
  new URL("../../../../../docs/reference/docker-options.md", import.meta.url),
);

/** Names of options by the second column: accepted and refused ones. */
function tableOf(text: string): Record<"taken" | "refused", string[]> {
  const rows = text.split("\n").filter((line) => line.startsWith("| `-"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const names = (isRefused: boolean) =>
    rows.filter(([, , ours]) => ours!.startsWith("refused") === isRefused)
      .flatMap(([, options]) => options!.replaceAll("`", "").split(", ")).sort();
  return { taken: names(false), refused: names(true) };
}

function namesOf(isRefused: boolean): string[] {
  return ALL_RUN_FLAGS.filter(({ refused }) => (refused !== undefined) === isRefused)
    .flatMap(({ name, letter, aliases = [] }) => [
      ...(letter === undefined ? [] : [`-${letter}`]),
      ...[name, ...aliases].map((one) => `--${one}`),
    ]).sort();
}

Deno.test("the docs list every accepted and every refused option of run", () => {
  assertEquals(tableOf(TABLE), { taken: namesOf(false), refused: namesOf(true) });
});
