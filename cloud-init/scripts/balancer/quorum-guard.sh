#!/bin/bash
# Removes the floating IP from this balancer as soon as Corosync loses quorum. Pacemaker does so as well, but later. When the
# quorum returns, Pacemaker is triggered to check what it missed.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

holds_it() { [ -n "$(ip -4 -oneline address show dev "$NODE_INTERFACE" to "${API_ADDRESS%/*}/32")" ]; }

# Pacemaker checks every five seconds and records only changes. A change during the formation of a membership is lost, so the
# address would count as held here forever, although no balancer holds it.
settle() {
  local where
  for _ in {1..60}; do
    sleep 1
    if holds_it; then return; fi
    where=$(crm_resource --locate --resource floating-ip --quiet 2>/dev/null) || continue
    case $where in
    "$NODE_NAME") crm_resource --refresh --resource floating-ip --node "$NODE_NAME" >/dev/null 2>&1 ;;
    ?*) return ;;
    esac
  done
}

# It prints the present state, then every change, line by line even into a pipe.
stdbuf -oL corosync-quorumtool -m | while read -r word value _; do
  case "$word $value" in
  "Quorate: No") ip address delete "$API_ADDRESS" dev "$NODE_INTERFACE" 2>/dev/null ;;
  "Quorate: Yes") settle & ;;
  esac
done
