#!/bin/bash
# Takes the floating IP off this balancer as soon as Corosync says that it is in the minority.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

# It tells the present state, then every change; line by line also into a pipe.
stdbuf -oL corosync-quorumtool -m | while read -r word value _; do
  [ "$word $value" != "Quorate: No" ] || ip address delete "$API_ADDRESS" dev "$NODE_INTERFACE" 2>/dev/null
done
