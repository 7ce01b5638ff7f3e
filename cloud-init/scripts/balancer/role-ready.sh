#!/bin/bash
# The balancer's part of node-ready: @title@ responds, and a balancer holds the floating IP.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

missing() {
  echo "$1"
  exit 1
}

if [ "$FLOATING_IP_BY" = pacemaker ]; then
  corosync-quorumtool -s 2>/dev/null | grep -q '^Quorate: *Yes' || missing "Corosync has no quorum"
fi

@answers@ ||
  missing "@title@ does not answer on its socket"

case $FLOATING_IP_BY in
pacemaker)
  holders=$(crm_resource --resource floating-ip --locate 2>/dev/null | grep -c 'is running on')
  [ "$holders" = 1 ] || missing "$holders balancers hold the floating IP as Pacemaker sees it"
  ;;
keepalived)
  systemctl is-active --quiet keepalived || missing "keepalived does not run"
  socat -T 1 -u OPEN:/dev/null "TCP:$API_ADDRESS:$API_PORT,connect-timeout=1" 2>/dev/null ||
    missing "no balancer holds the floating IP"
  ;;
*) # static: the only balancer
  ip -4 -oneline address show to "$API_ADDRESS" | grep -q . || missing "the floating IP is not there"
  ;;
esac
exit 0
