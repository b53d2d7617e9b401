#!/usr/bin/env bash
# PID 1 of the machine of scripts/fresh, in its namespaces: mounts what a machine has, makes
# DIRECTORY its root, and runs the commands there as USER.
set -euo pipefail

readonly machine=$1 suite=$2 user=$3
shift 3

mount_machine() {
  mount --bind "$machine" "$machine"
  mount -t proc proc "$machine/proc"
  mount -t sysfs sysfs "$machine/sys"
  mount -t tmpfs -o mode=755 run "$machine/run"
  mount -t tmpfs tmp "$machine/tmp"
  mount_devices "$machine/dev"
  mount_groups "$machine/sys/fs/cgroup"
}

# Copies of the host's devices: what is changed of them stays here.
mount_devices() { # DIRECTORY
  mount -t tmpfs -o mode=755 dev "$1"
  tar -C /dev --one-file-system --exclude='./pts/*' --exclude='./shm/*' -c . 2>/dev/null | tar -C "$1" -xp
  mkdir -p "$1/pts" "$1/shm" "$1/mqueue"
  mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts "$1/pts"
  mount -t tmpfs shm "$1/shm"
  mount -t mqueue mqueue "$1/mqueue"
  ln -sf pts/ptmx "$1/ptmx"
}

# The host's hierarchies of control groups, each with this machine's own group as its root.
mount_groups() { # DIRECTORY
  local target type options
  if [[ $(stat -f -c %T /sys/fs/cgroup) == tmpfs ]]; then mount -t tmpfs -o mode=755 cgroup "$1"; fi
  while read -r target type options; do
    target=$1${target#/sys/fs/cgroup}
    mkdir -p "$target"
    if [[ $type == cgroup ]]; then
      mount -t cgroup -o "$options" cgroup "$target"
    else
      mount -t cgroup2 cgroup2 "$target"
      # As under an init system, no process is in the root group, or it could have no limits.
      mkdir "$target/init.scope"
      echo 1 >"$target/init.scope/cgroup.procs"
    fi
  done < <(findmnt --raw --noheadings --types cgroup,cgroup2 --output TARGET,FSTYPE,FS-OPTIONS)
}

configure() {
  hostname "fresh-$suite"
  echo "127.0.0.1 localhost fresh-$suite" >/etc/hosts
  echo 'nameserver 10.0.2.3' >/etc/resolv.conf # slirp4netns, which asks the host's servers
  update-ca-certificates >/dev/null 2>&1
  [[ $user == root ]] && return
  useradd --create-home --shell /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/$user"
}

run() { # COMMAND…: in the clone
  local start=$SECONDS code=0
  printf '\n== fresh %s: %s\n' "$suite" "$*"
  runuser -u "$user" -- env -C "$clone" "HOME=$home" "USER=$user" "$@" 2>&1 | tee /tmp/fresh.log ||
    code=$?
  ((code == 0)) || status=1
  results+=("fresh $suite: $*: status $code, $((SECONDS - start)) s: $(tail -n 1 /tmp/fresh.log)")
}

inside() {
  umount -l /mnt
  configure
  home=$(getent passwd "$user" | cut -d : -f 6)
  clone=$home/hpktainer
  runuser -u "$user" -- git -c advice.detachedHead=false -c init.defaultBranch=main clone -q /head.bundle "$clone"
  if (($# > 0)); then
    run "$@"
  else
    run ./scripts/quickstart
    run ./scripts/test
  fi
  printf '\n'
  printf '%s\n' "${results[@]}"
  exit "$status"
}

mount_machine
cd "$machine"
pivot_root . mnt
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
# Another shell, of the machine's own files: this one keeps the host's in use.
exec /bin/bash -euo pipefail -c "suite=$suite user=$user results=() status=0
$(declare -f configure run inside)"'; inside "$@"' fresh "$@"
