/**
 * The two scripts behind a private host.
 *
 *     machine ── disk (mount namespace; /run is a tmpfs with layers/: what the host has changed of the machine's directories)
 *                 └─ boot (network, mount, PID, UTS, IPC namespaces; everything below its init dies with it)
 *
 * Both wait on a pipe that the test process holds: when that process ends in any way, even by SIGKILL, the pipe ends, and so do they.
 * bash, not sh, is init: it reaps orphans while it waits in `read`.
 */

/** Printed by both scripts once everything is in place. */
export const READY = "ready";

/**
 * The script of the disk: `$@` are the private directories.
 * `mount -n` because plain mount(8) would first make /run/mount on the machine.
 */
export const DISK_SCRIPT = `
set -e
mount -n -t tmpfs -o mode=755 disk /run
mkdir /run/proc /run/cgroup /run/apptainer
n=0
for dir in "$@"; do mkdir -p "/run/layers/$n/changes" "/run/layers/$n/work"; n=$((n + 1)); done
echo ${READY}
read -r _ || :
`;

/**
 * The script of one boot: `$1` the host name, the rest the private directories.
 *
 * - A complete /proc stays mounted out of sight: in a user namespace the kernel only allows a new
 *   /proc if one without mounts on top is visible.
 * - /proc/sys is read-only except for net, which belongs to the network namespace: writing anything
 *   else there would change the machine.
 * - /etc/resolv.conf is a link into /run if systemd-resolved is used; Apptainer fails on a dangling
 *   one.
 * - The IPv4 settings of interfaces are the kernel's defaults: a new network namespace inherits the
 *   machine's, which may forward or filter.
 * - Duplicate address detection is off: a link-local address would be tentative for a second, and
 *   two snapshots would differ.
 */
export const BOOT_SCRIPT = `
set -e
echo "$1" > /proc/sys/kernel/hostname; shift
config=~root/.apptainer
n=0
for dir in "$@"; do
  mount -t overlay -o "lowerdir=$dir,upperdir=/run/layers/$n/changes,workdir=/run/layers/$n/work" overlay "$dir"
  n=$((n + 1))
done
mount --bind /run/apptainer "$config"
mount -t proc proc /run/proc
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --move /run/cgroup /sys/fs/cgroup
cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind /run/proc/sys/net /proc/sys/net
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
mount -t tmpfs -o mode=755 run /run
mkdir -m 1777 /run/lock
if [ ! -e /etc/resolv.conf ]; then rm -f /etc/resolv.conf; : > /etc/resolv.conf; fi
for kind in all default lo; do
  for name in forwarding rp_filter route_localnet proxy_arp log_martians; do echo 0 > /proc/sys/net/ipv4/conf/$kind/$name; done
  for name in accept_redirects send_redirects secure_redirects; do echo 1 > /proc/sys/net/ipv4/conf/$kind/$name; done
done
for kind in all default; do
  if [ -e /proc/sys/net/ipv6/conf/$kind/accept_dad ]; then echo 0 > /proc/sys/net/ipv6/conf/$kind/accept_dad; fi
done
ip link set lo up
echo ${READY}
read -r _ || :
`;
