#!/bin/bash
# The balancer's part of node-ready: HAProxy answers, and somebody holds the floating IP.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

missing() {
  echo "$1"
  exit 1
}

if [ "$BALANCER_PAIR" = yes ]; then
  corosync-quorumtool -s 2>/dev/null | grep -q '^Quorate: *Yes' || missing "Corosync has no quorum"
fi

echo "show info" | socat -t 1 - UNIX-CONNECT:/run/haproxy/admin.sock 2>/dev/null | grep -q '^Name: HAProxy' ||
  missing "HAProxy does not answer on its socket"

if [ "$BALANCER_PAIR" = yes ]; then
  holders=$(crm_resource --resource floating-ip --locate 2>/dev/null | grep -c 'is running on')
  [ "$holders" = 1 ] || missing "$holders balancers hold the floating IP as Pacemaker sees it"
else
  ip -4 -oneline address show to "$API_ADDRESS" | grep -q . || missing "the floating IP is not there"
fi
exit 0
