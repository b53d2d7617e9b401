# shellcheck shell=bash disable=SC2034
# The checks that are no tests, each a function; sourced by ok and test
# from the project's root.

readonly CHECKS=(types layers format lint links reference)

check_format() {
  scripts/deno fmt --check
}

check_lint() {
  scripts/deno lint
}

# The offline stand-ins are checked through their contract test, where their map is in use: under
# the other map nothing names the npm packages they import.
check_types() {
  scripts/deno check packages test scripts/*.ts scripts/offline/contract_test.ts
}

check_layers() {
  scripts/deno run --no-check --allow-read --allow-write --allow-run --allow-env scripts/check_layers.ts
}

check_links() {
  scripts/deno run --no-check --allow-read scripts/check_docs.ts
}

# The pages of docs/reference that are derived from the code.
check_reference() {
  scripts/deno run -A --no-check scripts/reference.ts --check
}
