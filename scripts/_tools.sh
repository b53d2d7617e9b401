# shellcheck shell=bash disable=SC2154
# What the checks and tests call that no package of the distribution is installed for: actionlint, typos,
# flanneld and etcd. They are kept in the cache. Sourced by setup, which provides `has`, `say`,
# `place`, `download` and $work. What cannot be had is skipped aloud by what needs it.

setup_tools() {
  # Debian's package starts a registry for all to reach; the tests start their own.
  if [[ " ${missing[*]} " == *' docker-registry '* && -d /run/systemd/system ]]; then
    run_quietly as_root systemctl disable --now docker-registry
  fi
  has typos || [[ -x $HPK_CACHED_TYPOS ]] || fetch_typos || :
  has go || return 0
  has actionlint || [[ -x $HPK_CACHED_ACTIONLINT ]] ||
    go_install github.com/rhysd/actionlint/cmd/actionlint "$HPK_ACTIONLINT_VERSION" "$HPK_CACHED_ACTIONLINT" || :
  [[ -x $HPK_CACHED_FLANNEL ]] ||
    go_install github.com/flannel-io/flannel "$HPK_FLANNEL_VERSION" "$HPK_CACHED_FLANNEL" || return 0
  has etcd && has etcdctl || [[ -x $HPK_CACHE/etcd/etcdctl ]] || unpack_etcd
}

go_install() { # MODULE VERSION TARGET
  say "building ${3##*/} $2 with Go into ${3%/*}"
  if ! GOBIN=$work/go GOFLAGS=-buildvcs=false go install -ldflags '-s -w' "$1@v$2" >"$work/go.log" 2>&1; then
    say "no ${3##*/}: $(explain "$work/go.log")"
    return 1
  fi
  place "$work/go/${3##*/}" "$3"
}

# The distribution's package of etcd would start a service.
unpack_etcd() {
  if [[ $(package_manager) != apt-get ]]; then
    say "no etcd: this system has no package of it"
    return
  fi
  refresh_apt
  say "fetching etcd into $HPK_CACHE/etcd"
  local package
  mkdir -p "$work/etcd"
  (cd "$work/etcd" && run_quietly apt-get -qq -o APT::Sandbox::User=root download etcd-server etcd-client)
  for package in "$work"/etcd/*.deb; do
    run_quietly dpkg-deb -x "$package" "$work/etcd"
  done
  place "$work/etcd/usr/bin/etcd" "$HPK_CACHE/etcd/etcd"
  place "$work/etcd/usr/bin/etcdctl" "$HPK_CACHE/etcd/etcdctl"
}

# A wheel is a zip archive, and holds the program.
fetch_typos() {
  local index=${PIP_INDEX_URL:-} sum=$HPK_TYPOS_SHA256_X64 wheel
  if [[ $(uname -m) == aarch64 ]]; then sum=$HPK_TYPOS_SHA256_ARM64; fi
  say "fetching typos $HPK_TYPOS_VERSION into ${HPK_CACHED_TYPOS%/*}"
  if [[ -z $index && $(package_manager) == apt-get ]]; then
    refresh_apt
    index=$(packaged_default python3-pip '"https://[^"]*", file_storage_domain')simple
  fi
  if download "${index%/}/typos/" "$work/typos.html" >"$work/typos.log" 2>&1 &&
    wheel=$(grep -o "[^\"]*typos-$HPK_TYPOS_VERSION-py3-none-manylinux[^\"]*$(uname -m)\.whl" "$work/typos.html" | head -n 1) &&
    download "$wheel" "$work/typos.whl" >>"$work/typos.log" 2>&1 &&
    is_sha256 "$work/typos.whl" "$sum"; then
    busybox unzip -p "$work/typos.whl" '*/scripts/typos' >"$work/typos"
    place "$work/typos" "$HPK_CACHED_TYPOS"
  else
    say "no typos: $(explain "$work/typos.log")"
  fi
}
