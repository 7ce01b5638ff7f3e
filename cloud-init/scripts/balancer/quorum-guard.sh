#!/bin/bash
# Takes the floating IP off this balancer as soon as Corosync says that it is in the minority. Pacemaker does so too, but
# later. When the majority is back, it is triggered to check what it missed.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

holds_it() { [ -n "$(ip -4 -oneline address show dev "$NODE_INTERFACE" to "${API_ADDRESS%/*}/32")" ]; }

# Pacemaker looks every five seconds and notes only what is new. What it sees while its members agree again is lost, so the
# address would count as held here for ever, although no balancer holds it.
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

# It tells the present state, then every change; line by line also into a pipe.
stdbuf -oL corosync-quorumtool -m | while read -r word value _; do
  case "$word $value" in
  "Quorate: No") ip address delete "$API_ADDRESS" dev "$NODE_INTERFACE" 2>/dev/null ;;
  "Quorate: Yes") settle & ;;
  esac
done
