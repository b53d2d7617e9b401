# shellcheck shell=bash disable=SC2154
# Installing by the system's package manager, by names that do not depend on it; sourced by setup
# and fresh, which provide `fail` and $work.

# One line about something that was done.
say() {
  printf '%s: %s\n' "${0##*/}" "$1"
}

has() {
  type -P "$1" >/dev/null
}

# The name of a thing in this system's packages.
package_name() {
  case $(package_manager):$1 in
    apt-get:busybox) echo busybox-static ;;
    apt-get:cni) echo containernetworking-plugins ;;
    apt-get:createrepo_c) echo createrepo-c ;;
    apt-get:libgcc) echo libgcc-s1 ;;
    apt-get:ping) echo iputils-ping ;;
    apt-get:rpmbuild) echo rpm ;;
    apt-get:dnsmasq) echo dnsmasq-base ;;
    apt-get:script) echo bsdutils ;;
    dnf:busybox) echo busybox ;;
    dnf:cni) dnf_first containernetworking-plugins cni-plugins ;;
    dnf:conntrack) echo conntrack-tools ;;
    dnf:iproute2) echo iproute ;;
    dnf:iptables) dnf_first iptables-nft iptables ;;
    dnf:ping) echo iputils ;;
    dnf:rpmbuild) echo rpm-build ;;
    dnf:udev) echo systemd-udev ;;
    dnf:procps) echo procps-ng ;;
    dnf:shellcheck) echo ShellCheck ;;
    dnf:script) dnf_first util-linux-script util-linux ;;
    *) echo "$1" ;;
  esac
}

package_manager() {
  if has apt-get; then
    echo apt-get
  elif has dnf; then
    echo dnf
  else
    fail "neither apt-get nor dnf is here: install the missing tools by hand (see README.md)"
  fi
}

# Does the package manager have it?
is_packaged() { # PACKAGE
  if [[ $(package_manager) == dnf ]]; then
    dnf -q list "$1" >/dev/null 2>&1
  else
    refresh_apt
    [[ $(apt-cache policy "$1") =~ Candidate:\ [^\(] ]]
  fi
}

# The first of the names that dnf knows; the first of all where it knows none.
dnf_first() {
  local name
  for name in "$@"; do
    if dnf -q list "$name" >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "$1"
}

# Runs a command as root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif has sudo; then
    sudo -- "$@"
  else
    fail "installing packages needs root and sudo is not here: run scripts/setup as root"
  fi
}

# Installs the named things, by package or by the path of a package file; without names, nothing.
install_packages() {
  (($# > 0)) || return 0
  local manager name names=()
  manager=$(package_manager)
  for name in "$@"; do names+=("$(package_name "$name")"); done
  if [[ $manager == apt-get ]]; then refresh_apt; fi
  say "installing ${names[*]##*/}"
  case $manager in
    apt-get)
      run_quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -y --no-install-recommends install "${names[@]}"
      ;;
    dnf) run_quietly as_root dnf -y install "${names[@]}" ;;
  esac
}

# Updates the package lists, once a run, when they are older than a day.
refresh_apt() {
  [[ -z ${apt_refreshed:-} ]] || return 0
  apt_refreshed=1
  local lock
  mkdir -p "$HPK_CACHE"
  exec {lock}>"$HPK_CACHE/apt.lock"
  # apt does not wait for another update, such as that of a setup at the same time.
  ! has flock || flock "$lock"
  if [[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 2>/dev/null) ]]; then
    say 'reading the package lists'
    run_quietly as_root apt-get -o Acquire::Languages=none update
  fi
  exec {lock}>&-
}

# Runs a command; shows the last lines of its output only when it fails.
run_quietly() {
  local log
  log=$(mktemp -p "$work")
  if ! "$@" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "'$*' failed: $(explain "$log")"
  fi
}
