#!/bin/bash
# The gateway's part of node-ready: routing, filtering, DNS and DHCP, and its vote if Pacemaker moves the floating IP.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

missing() {
  echo "$1"
  exit 1
}

[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || missing "forwarding is off"
nft list chain inet groundplane forward >/dev/null 2>&1 || missing "the firewall's rules are not loaded"
ss -Hlun 'sport = :67' | grep -q . || missing "dnsmasq does not listen for DHCP"
# Through DNS only, not from /etc/hosts.
getent -s hosts:dns ahostsv4 "$API_NAME" | grep -q "^$API_ADDRESS " || missing "dnsmasq does not answer"

if [ "$FLOATING_IP_BY" = pacemaker ]; then
  corosync-quorumtool -s 2>/dev/null | grep -q '^Quorate: *Yes' || missing "Corosync has no quorum"
  systemctl is-active --quiet pacemaker || missing "Pacemaker does not run"
fi
exit 0
