# shellcheck shell=bash disable=SC2154
# Installing what the tests of clusters call: flanneld, built by Go from its own module, and etcd from
# the distribution. Sourced by setup, which provides `has`, `say`, `fail`, `place` and $work.
#
# Both are kept in the cache and not installed: the distribution's package of etcd would start a
# service. Where there is no Go, or it cannot build flanneld, the tests program the network as
# flanneld does, and say so.

readonly HPK_FLANNEL_VERSION=0.26.7
readonly HPK_CACHED_FLANNEL=$HPK_CACHE/flannel-$HPK_FLANNEL_VERSION/flannel

setup_flannel() {
  has go || return 0
  [[ -x $HPK_CACHED_FLANNEL ]] || build_flannel || return 0
  has etcd && has etcdctl || [[ -x $HPK_CACHE/etcd/etcdctl ]] || unpack_etcd
}

build_flannel() {
  if ! GOBIN=$work/go GOFLAGS=-buildvcs=false go install -ldflags '-s -w' \
    "github.com/flannel-io/flannel@v$HPK_FLANNEL_VERSION" >"$work/log" 2>&1; then
    say "no flanneld: $(tail -n 1 "$work/log")"
    return 1
  fi
  place "$work/go/flannel" "$HPK_CACHED_FLANNEL"
  say "flanneld $HPK_FLANNEL_VERSION in $HPK_CACHED_FLANNEL"
}

unpack_etcd() {
  if [[ $(package_manager) != apt-get ]]; then
    say "no etcd: this system has no package of it"
    return
  fi
  refresh_apt
  local package
  mkdir -p "$work/etcd"
  (cd "$work/etcd" && run_quietly apt-get -qq -o APT::Sandbox::User=root download etcd-server etcd-client)
  for package in "$work"/etcd/*.deb; do
    run_quietly dpkg-deb -x "$package" "$work/etcd"
  done
  place "$work/etcd/usr/bin/etcd" "$HPK_CACHE/etcd/etcd"
  place "$work/etcd/usr/bin/etcdctl" "$HPK_CACHE/etcd/etcdctl"
  say "etcd in $HPK_CACHE/etcd"
}
