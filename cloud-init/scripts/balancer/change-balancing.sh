#!/bin/bash
# change-balancing FLOATING_IP_BY=… BALANCER=…: changes on this running machine what moves the floating IP, and what forwards
# connections to the masters. `static` is a single balancer, whose network configuration has the floating IP: it becomes one of a
# pair, or remains alone. The gateway runs it first, then one balancer after the other. What runs already stays, so that it may be
# run again at any point.
set -eu
# shellcheck source=/dev/null
. /etc/groundplane/node.env
former=$FLOATING_IP_BY
for setting in "$@"; do declare "$setting"; done
: "${FLOATING_IP_BY:?}" "${BALANCER:?}"
units=/etc/systemd/system
cluster_files=/var/lib/pacemaker/cib
networks=/etc/systemd/network
vrrp=/etc/keepalived/keepalived.conf

fail() {
  echo "$1"
  exit 1
}
# within SECONDS COMMAND…
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS >= end)); then return 1; fi
    sleep 0.1
  done
}
is_active() { systemctl is-active --quiet "$1.service"; }
is_balancer() { [ -e @authority@ ]; }
others() {
  local unit known="@units@"
  for unit in $known; do [ "$unit" = "$BALANCER" ] || echo "$unit"; done
}
listens() { ss -Hltnp "sport = :$API_PORT" | grep -q "\"$1\""; }
serves() { curl -skf --max-time 2 -o /dev/null "https://127.0.0.1:$API_PORT/readyz"; }

# drop_in UNIT NAME LINE…
drop_in() {
  local folder=$units/$1.service.d name=$2
  shift 2
  mkdir -p "$folder"
  printf '%s\n' '[Service]' "$@" >"$folder/$name.conf"
}

# The drop-ins that a seed with this program would have.
write_drop_ins() {
  local unit
  if [ ! -e "$units/$BALANCER.service.d/90-restart.conf" ]; then
    drop_in "$BALANCER" 90-restart Restart=always RestartSec=100ms
  fi
  for unit in $(others); do rm -f "$units/pacemaker.service.d/10-$unit-first.conf"; done
  drop_in pacemaker "10-$BALANCER-first" "ExecStartPre=-/usr/bin/systemctl start $BALANCER.service"
}

# Both listen for a moment, so that no new connection is refused.
change_program() {
  local unit served=no
  if serves; then served=yes; fi
  systemctl reset-failed "$BALANCER.service" 2>/dev/null || true
  systemctl start "$BALANCER.service"
  within 10 listens "$BALANCER" || fail "$BALANCER does not listen on port $API_PORT"
  for unit in $(others); do systemctl stop "$unit.service"; done
  if [ "$served" = yes ]; then within 5 serves || fail "$BALANCER finds no master that answers"; fi
}

maintenance() { crm_attribute --type crm_config --name maintenance-mode --update "$1" >/dev/null; }
managed() { cibadmin --query --xpath "//primitive[@id='$1']" >/dev/null 2>&1; }
# Balancers that take part, and those on which Pacemaker finds the program.
present() { crm_mon --one-shot --output-as=xml | grep -c '<node [^>]*online="true" standby="false"'; }
running() { crm_resource --resource "$BALANCER" --locate 2>/dev/null | grep -c 'is running on'; }
runs_everywhere() {
  local count
  count=$(running) && [ "$count" = "$(present)" ]
}

# Pacemaker has one program on all balancers. While they differ it only watches; the last one that changes ends this.
tell_cluster() {
  local unit
  for unit in $(others); do
    managed "$unit" || continue
    cibadmin --query --scope configuration | sed "s/\b$unit\b/$BALANCER/g" |
      cibadmin --replace --scope configuration --xml-pipe
    cibadmin --delete-all --force --xpath "//lrm_resource[@id='$unit']" 2>/dev/null || true
  done
  crm_resource --refresh --resource "$BALANCER" >/dev/null 2>&1 || true
  if within 10 runs_everywhere; then maintenance false; fi
}

quorate() { corosync-quorumtool -s 2>/dev/null | grep -q '^Quorate: *Yes'; }
finds_here() { crm_resource --resource "$1" --locate 2>/dev/null | grep -q "is running on: $NODE_NAME\b"; }

holds() { [ -n "$(ip -4 -oneline address show dev "$NODE_INTERFACE" to "$API_ADDRESS/32")" ]; }
# The floating IP with the prefix length of this machine's own address.
with_prefix() {
  ip -4 -oneline address show dev "$NODE_INTERFACE" to "$NODE_ADDRESS/32" |
    sed -n "s|.* inet [^/]*/\([0-9]*\) .*|$API_ADDRESS/\1|p"
}
# It also tells all neighbours.
take() {
  local address
  address=$(with_prefix)
  ip address replace "$address" dev "$NODE_INTERFACE"
  /usr/libexec/heartbeat/send_arp -i 50 -r 4 -p /run/floating-ip.send_arp \
    "$NODE_INTERFACE" "$API_ADDRESS" auto not_used not_used </dev/null >/dev/null 2>&1 &
}

assigned() { grep -qs "^Address=$API_ADDRESS/" "$networks"/*.network; }

# Takes the floating IP out of the network configuration, which would assign it again, e.g. when a link returns. networkd removes
# the address when it reads its configuration, so it is put back at once.
unassign() {
  local end held=no
  if holds; then held=yes; fi
  sed -i -z "s|\[Address\]\nAddress=$API_ADDRESS/[0-9]*\n\n*||g" "$networks"/*.network
  if assigned; then fail "the network configuration keeps $API_ADDRESS"; fi
  networkctl reload
  end=$((SECONDS + 3))
  while [ "$held" = yes ] && ((SECONDS < end)); do
    holds || take
    sleep 0.02
  done
}

# The other balancer may run already. In maintenance it did not start the floating IP, which is still here.
manage() {
  within 60 quorate || fail "Corosync has no quorum: the gateway does not take part"
  within 60 finds_here "$BALANCER" || fail "Pacemaker does not find $BALANCER on this balancer"
  if holds; then within 60 finds_here floating-ip || fail "Pacemaker does not find the floating IP on this balancer"; fi
  within 30 maintenance false || fail "Pacemaker stays in maintenance"
}

# As the owner of the address, VRRP takes it from the other balancer, which must keep hearing so until it is removed. A killed
# keepalived leaves the address where it is.
own_until_alone() {
  local peer
  systemctl is-active --quiet floating-ip-owner.service && return
  [ -e "$vrrp.pair" ] || cp -p "$vrrp" "$vrrp.pair"
  sed -i -e 's/^  priority .*/  priority 255/' -e 's/^  state .*/  state MASTER/' -e '/^  nopreempt$/d' \
    -e '/^  track_script {$/,/^  }$/d' "$vrrp"
  if holds; then systemctl reload keepalived.service; else systemctl restart keepalived.service; fi
  within 30 holds || fail "the floating IP does not move to this balancer"
  peer=$(sed -n '/^  unicast_peer {$/{n;s/^ *//p}' "$vrrp")
  systemctl reset-failed floating-ip-owner.service 2>/dev/null || true
  # shellcheck disable=SC2016 # the dollars are those of the inner shell
  systemd-run --quiet --unit=floating-ip-owner.service bash -c '
    for ((missed = 0; missed < 5; missed++)); do
      if socat -u OPEN:/dev/null "TCP:$1:22,connect-timeout=1"; then missed=-1; fi
      sleep 1
    done
    systemctl kill --signal=KILL keepalived.service
    systemctl stop keepalived.service
    systemctl reset-failed keepalived.service
    rm -f "$2"' - "$peer" "$vrrp.pair"
}

# The other balancer is back before it was removed.
share_again() {
  systemctl stop floating-ip-owner.service 2>/dev/null || true
  if [ -e "$vrrp.pair" ] && grep -q '^  priority 255$' "$vrrp"; then cp -p "$vrrp.pair" "$vrrp"; fi
  rm -f "$vrrp.pair"
  if is_active keepalived; then systemctl reload keepalived.service; fi
}

# The last holder before the other balancer is removed, or the only one because the pair was not formed.
be_alone() {
  local file
  if is_active pacemaker && quorate; then
    if ! finds_here floating-ip; then
      crm_resource --resource floating-ip --move --node "$NODE_NAME" >/dev/null
      within 30 holds || fail "the floating IP does not move to this balancer"
    fi
    maintenance true
  fi
  systemctl stop quorum-guard.service 2>/dev/null || true
  systemctl stop pacemaker.service corosync.service
  if is_active keepalived || [ "$former" = keepalived ]; then own_until_alone; fi
  file=$(grep -ls "^Address=$NODE_ADDRESS/" "$networks"/*.network | head -n 1)
  [ -n "$file" ] || fail "no network configuration has $NODE_ADDRESS"
  assigned || printf '\n[Address]\nAddress=%s\n' "$(with_prefix)" >>"$file"
  networkctl reload
  holds || take
  systemctl start "$BALANCER.service"
}

# The balancer that was alone holds the floating IP until it takes part; the new one must not start it meanwhile. Of several
# configurations the one with the highest admin_epoch counts.
begin_in_maintenance() {
  local set='<cluster_property_set id="cluster">'
  sed -i -e 's/admin_epoch="0"/admin_epoch="1"/' \
    -e "s|$set|&<nvpair id=\"cluster-maintenance-mode\" name=\"maintenance-mode\" value=\"true\"/>|" "$1"
}

join_cluster() {
  if is_active pacemaker && is_active corosync; then return; fi
  [ -s /etc/corosync/authkey ] ||
    fail "this machine has no key of Corosync: an earlier version created it; replace it (up --replace) before this change"
  # What the cluster has left here from another time may name another program.
  rm -rf "${cluster_files:?}"/*
  sed "s/\b\(@either@\)\b/$BALANCER/g" @cluster@ >"$cluster_files/cib.xml"
  if [ "$former" = static ]; then begin_in_maintenance "$cluster_files/cib.xml"; fi
  chown hacluster:haclient "$cluster_files/cib.xml"
  chmod 0600 "$cluster_files/cib.xml"
  # Where keepalived runs, systemd stops it.
  systemctl start corosync.service pacemaker.service
}

# Pacemaker leaves the floating IP and the program as they are. Without this balancer and the gateway the other balancer has no
# quorum and releases the floating IP at once.
leave_cluster() {
  if is_active pacemaker && is_balancer; then maintenance true; fi
  systemctl stop pacemaker.service corosync.service
}

if is_balancer; then write_drop_ins; fi
systemctl daemon-reload
if is_balancer; then
  in_cluster=no
  if is_active pacemaker && [ "$FLOATING_IP_BY" = pacemaker ]; then in_cluster=yes; fi
  for unit in $(others); do
    if is_active pacemaker && managed "$unit"; then maintenance true; fi
  done
  change_program
  if [ "$in_cluster" = yes ]; then tell_cluster; fi
fi
case $FLOATING_IP_BY in
pacemaker)
  if is_balancer && { [ "$former" = static ] || assigned; }; then unassign; fi
  join_cluster
  if [ "$former" = static ] && is_balancer; then manage; fi
  ;;
keepalived)
  if is_balancer && { [ "$former" = static ] || assigned; }; then unassign; fi
  leave_cluster
  if is_balancer; then
    share_again
    # keepalived begins as a backup, while the other balancer may already hold the floating IP.
    if [ "$former" = static ] && ! is_active keepalived && holds; then
      ip address delete "$(with_prefix)" dev "$NODE_INTERFACE"
    fi
    systemctl start keepalived.service
  fi
  ;;
static)
  if is_balancer; then be_alone; else leave_cluster; fi
  ;;
esac
