#!/bin/sh
# Creates the container's interface over a socket (hpktainer run --datapath relay), then executes the
# command. It prints nothing unless it fails.
#
#   HPK_SOCKET_PATH  socket of the host's relay
#   HPK_IP           address with prefix length, such as 10.96.0.2/24
#   HPK_GATEWAY_IP   default gateway
#   HPK_IP6          IPv6 address with prefix length; optional, with its default gateway in
#   HPK_GATEWAY_IP6
#   HPK_MAC          Ethernet address that the host expects; optional
#   HPK_MTU          MTU in bytes; optional
set -eu

readonly tap=tap0

fail() {
  echo "hpktainer-base: $1" >&2
  exit 125
}

for name in HPK_SOCKET_PATH HPK_IP HPK_GATEWAY_IP; do
  eval "value=\${$name:-}"
  [ -n "$value" ] || fail "$name is not set: start this image with 'hpktainer run --datapath relay'"
done
[ $# -gt 0 ] || set -- /bin/sh

# The daemon closes descriptor 3 once the interface exists, which ends the substitution. The daemon
# ends with this process, which executes the command.
ready=$(hpk-net-daemon -mode client -socket "$HPK_SOCKET_PATH" -tap "$tap" -create-tap \
  ${HPK_MTU:+-mtu "$HPK_MTU"} -quiet -ready-fd 3 -exit-with $$ </dev/null 3>&1 >/dev/null &)
[ "$ready" = ready ] || fail "hpk-net-daemon could not create $tap: see its message above"

[ -z "${HPK_MAC:-}" ] || ip link set dev "$tap" address "$HPK_MAC"
# shellcheck disable=SC2153 # the three are set by hpktainer
ip address add "$HPK_IP" dev "$tap"
ip link set dev "$tap" up
ip route add default via "$HPK_GATEWAY_IP" dev "$tap"
if [ -n "${HPK_IP6:-}" ]; then
  ip -6 address add "$HPK_IP6" dev "$tap"
  ip -6 route add default via "$HPK_GATEWAY_IP6" dev "$tap"
fi

exec "$@"
