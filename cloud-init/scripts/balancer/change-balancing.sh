#!/bin/bash
# change-balancing FLOATING_IP_BY=… BALANCER=…: changes on this running machine what moves the floating IP, and what forwards
# connections to the masters. The gateway runs it first, then one balancer after the other. What runs already stays, so that it
# may be run again at any point.
set -eu
# shellcheck source=/dev/null
. /etc/groundplane/node.env
for setting in "$@"; do declare "$setting"; done
: "${FLOATING_IP_BY:?}" "${BALANCER:?}"
units=/etc/systemd/system
cluster_files=/var/lib/pacemaker/cib

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

join_cluster() {
  if is_active pacemaker && is_active corosync; then return; fi
  [ -s /etc/corosync/authkey ] ||
    fail "this machine has no key of Corosync: an earlier version created it; replace it (up --replace) before this change"
  # What the cluster has left here from another time may name another program.
  rm -rf "${cluster_files:?}"/*
  sed "s/\b\(@either@\)\b/$BALANCER/g" @cluster@ >"$cluster_files/cib.xml"
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
pacemaker) join_cluster ;;
keepalived)
  leave_cluster
  if is_balancer; then systemctl start keepalived.service; fi
  ;;
esac
