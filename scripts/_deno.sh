# shellcheck shell=bash disable=SC2154
# The pinned Deno and its runtime, from the npm registry; sourced by setup, which provides `say`,
# `fail`, `unpack_npm`, `is_sha256`, `place` and $work.

# One call at a time: the quickstart compiles while another setup installs packages.
setup_deno() {
  local arch lock
  mkdir -p "$HPK_CACHE"
  exec {lock}>"$HPK_CACHE/deno.lock"
  flock "$lock"
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) fail "no Deno for $(uname -m): x86_64 and aarch64 are supported" ;;
  esac
  if [[ ! -x $HPK_CACHED_DENO ]]; then
    say "fetching Deno $HPK_DENO_VERSION into ${HPK_CACHED_DENO%/*}"
    unpack_npm "@deno/linux-$arch-glibc" "$HPK_DENO_VERSION" deno
    is_pinned_deno "$work/npm/deno/package/deno" ||
      fail "the Deno from npm is not the pinned one: nothing installed"
    place "$work/npm/deno/package/deno" "$HPK_CACHED_DENO"
  fi
  # Where Deno's own host answers, `deno compile` fetches its exact runtime by itself.
  if [[ $arch == x64 && ! -f $HPK_CACHED_DENORT ]] && ! answers dl.deno.land; then
    setup_denort
  fi
  fetch_bundler
  exec {lock}>&-
}

# `deno bundle` fetches its bundler at the first call; where several are the first, as in scripts/build,
# they get in each other's way.
fetch_bundler() {
  local cache=${DENO_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/deno}
  if compgen -G "$cache/dl/esbuild-*/*" >/dev/null; then return; fi
  echo 'console.log()' >"$work/empty.js"
  HPK_DEPS_TOLD=1 run_quietly "$here/deno" bundle -q --no-config -o "$work/bundle.js" "$work/empty.js"
}

# Only the x64 sum is pinned; the registry's transport checks integrity on both machines.
is_pinned_deno() { # FILE
  if [[ $(uname -m) == x86_64 ]]; then is_sha256 "$1" "$HPK_DENO_SHA256_X64" || return 1; fi
  chmod 755 "$1"
  [[ $("$1" --version) == "deno $HPK_DENO_VERSION "* ]]
}

setup_denort() {
  say "fetching the runtime of compiled programs, denort $HPK_DENORT_VERSION, into ${HPK_CACHED_DENORT%/*}"
  unpack_npm "$HPK_DENORT_PACKAGE" "$HPK_DENORT_PACKAGE_VERSION" denort
  local binary=$work/npm/denort/$HPK_DENORT_MEMBER
  # An ELF file ends with its section headers: e_shoff (8 bytes at 40) + e_shentsize * e_shnum.
  local e_shoff e_shentsize e_shnum
  e_shoff=$(od -An -t u8 -j 40 -N 8 "$binary")
  read -r e_shentsize e_shnum < <(od -An -t u2 -j 58 -N 4 "$binary")
  ((e_shoff + e_shentsize * e_shnum == HPK_DENORT_SIZE)) ||
    fail "$HPK_DENORT_PACKAGE holds another runtime than the pinned one: nothing installed"
  truncate -s "$HPK_DENORT_SIZE" "$binary"
  is_sha256 "$binary" "$HPK_DENORT_SHA256" ||
    fail "the runtime of $HPK_DENORT_PACKAGE is not the pinned one (SHA-256 differs): nothing installed"
  place "$binary" "$HPK_CACHED_DENORT"
}
