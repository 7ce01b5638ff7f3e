#!/bin/sh
# OCF resource agent: the floating IP is an address of this machine. Pacemaker calls it with the action as its argument
# and the parameters as OCF_RESKEY_…. It is short, because the API is unavailable between the stop and the next start.
set -u
: "${OCF_RESKEY_address=}" "${OCF_RESKEY_interface=}"

holds() {
  [ -n "$(ip -4 -oneline address show dev "$OCF_RESKEY_interface" to "${OCF_RESKEY_address%/*}/32" 2>/dev/null)" ]
}

# When its hardware address is set, even to the same one, an interface with arp_notify announces its addresses to all
# neighbours at once. A program for that needs 5 to 30 ms to start during a move.
take() {
  read -r hardware_address <"/sys/class/net/$OCF_RESKEY_interface/address"
  echo 1 >"/proc/sys/net/ipv4/conf/$OCF_RESKEY_interface/arp_notify"
  ip -force -batch - <<COMMANDS
address replace $OCF_RESKEY_address dev $OCF_RESKEY_interface
link set dev $OCF_RESKEY_interface address $hardware_address
COMMANDS
  holds
}

# Again, for hosts that missed the first announcement.
announce() {
  /usr/libexec/heartbeat/send_arp -i 50 -r 4 -p /run/floating-ip.send_arp \
    "$OCF_RESKEY_interface" "${OCF_RESKEY_address%/*}" auto not_used not_used </dev/null >/dev/null 2>&1 &
}

meta_data() {
  cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="floating-ip" version="1.0">
<version>1.1</version>
<longdesc lang="en">Holds one IPv4 address on one interface and tells its neighbours so.</longdesc>
<shortdesc lang="en">Floating IP</shortdesc>
<parameters>
<parameter name="address" required="1"><longdesc lang="en">Address with its prefix length.</longdesc><shortdesc lang="en">Address</shortdesc><content type="string"/></parameter>
<parameter name="interface" required="1"><longdesc lang="en">Interface that carries it.</longdesc><shortdesc lang="en">Interface</shortdesc><content type="string"/></parameter>
</parameters>
<actions>
<action name="start" timeout="10s"/>
<action name="stop" timeout="10s"/>
<action name="monitor" timeout="10s" interval="5s"/>
<action name="meta-data" timeout="5s"/>
</actions>
</resource-agent>
XML
}

case "${1:-}" in
start) take && announce ;;
stop) ! holds || ip address delete "$OCF_RESKEY_address" dev "$OCF_RESKEY_interface" ;;
monitor) holds || exit 7 ;; # not running
meta-data) meta_data ;;
*) exit 3 ;; # not implemented
esac
