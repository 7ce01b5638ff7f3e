#!/bin/bash
# hand-over prepare: this balancer may take connections over from another one. It holds the floating IP again if it must.
# hand-over away: before this machine stops, another balancer serves the clients of the floating IP. New connections go there at once,
# those that are open complete what is in flight, and then the address moves. Nothing happens without another balancer that answers.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env
read -ra peers <<<"@peers@"
ports="@ports@"
# How long requests in flight may take, and a move of the address.
drain=${DRAIN_SECONDS:-5}
patience=${MOVE_SECONDS:-5}
# A connection has no request in flight if it was silent for so long after the balancer has sent something. A response that comes later than
# the end of a TLS handshake looks the same, so the shorter time is only for the last seconds.
idle_ms=3000
last_seconds=2
last_idle_ms=50
# Survives until the machine stops.
mark=${RUN:-/run}/groundplane-handed-over

holds() { [ -n "$(ip -4 -oneline address show dev "$NODE_INTERFACE" to "$API_ADDRESS/32")" ]; }
serves() { curl -skf --connect-timeout 0.5 --max-time 2 -o /dev/null "https://$1:$2/readyz"; }
# within SECONDS COMMAND…
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS >= end)); then return 1; fi
    sleep 0.05
  done
}

# Packets of connections that begin from now on go to another balancer unchanged. It answers the client itself, as the holder of the
# address, so the connection stays when the address moves. The rules see neither the machine's own sockets nor its connection tracking.
divert() {
  nft -f - <<RULES
table netdev groundplane_divert
delete table netdev groundplane_divert
table netdev groundplane_divert {
  set begun {
    type ipv4_addr . inet_service . inet_service
    size 65536
    flags dynamic,timeout
    timeout 1m
  }
  chain arriving {
    type filter hook ingress device "$NODE_INTERFACE" priority 0;
    ip daddr $API_ADDRESS tcp dport { $ports } tcp flags & (syn | ack) == syn update @begun { ip saddr . tcp sport . tcp dport }
    ip daddr $API_ADDRESS ip saddr . tcp sport . tcp dport @begun update @begun { ip saddr . tcp sport . tcp dport } fwd ip to $1 device "$NODE_INTERFACE"
  }
}
RULES
}
keep() { nft delete table netdev groundplane_divert 2>/dev/null; }

# Those that came before the address have the machine's own one.
of_clients="( src $API_ADDRESS@own@ ) and ( sport = :${ports//, / or sport = :} )"

# Connections of clients that are not complete, and "idle" where none has a request in flight: "PEER STATE".
connections() {
  ss -HtnOi state connected exclude time-wait exclude fin-wait-2 "$of_clients" |
    awk -v idle="$1" '{
      delete of
      for (i = 6; i <= NF; i++) if (split($i, part, ":") == 2) of[part[1]] = part[2] + 0
      silent = of["lastsnd"] >= idle && of["lastsnd"] <= of["lastrcv"] && (of["bytes_sent"] > 0 || of["bytes_received"] == 0)
      print $5, ($1 == "ESTAB" && $2 + $3 == 0 && silent) ? "idle" : "busy"
    }'
}
# The client learns it at once, and connects again: to the other balancer.
end_those() {
  local filter
  filter=$(sed 's/^/dst = /' | paste -sd '|' | sed 's/|/ or /g')
  [ -z "$filter" ] || ss -HKtn "$of_clients and ( $filter )" >/dev/null
}

# An idle connection ends between two requests. One that still has a request in flight at the end of the time is cut.
finish() {
  local end=$((SECONDS + drain)) idle=$idle_ms open
  while open=$(connections "$idle") && [ -n "$open" ]; do
    if ((SECONDS >= end)); then
      echo "connections that are cut: $(wc -l <<<"$open")"
      cut -d ' ' -f 1 <<<"$open" | end_those
      return
    fi
    sed -n 's/ idle$//p' <<<"$open" | end_those
    if ((SECONDS >= end - last_seconds)); then idle=$last_idle_ms; fi
    sleep 0.02
  done
}

# keepalived tells the other balancer, which takes the address at once. Pacemaker forgets `standby` when this member leaves.
release() {
  touch "$mark"
  case $FLOATING_IP_BY in
  pacemaker) timeout 5 crm_attribute --node "$NODE_NAME" --name standby --update on --lifetime reboot ;;
  keepalived) systemctl kill --kill-whom=main --signal=TERM keepalived.service ;;
  esac
}
return_here() {
  case $FLOATING_IP_BY in
  pacemaker) timeout 5 crm_attribute --node "$NODE_NAME" --name standby --delete --lifetime reboot ;;
  keepalived) systemctl start --no-block keepalived.service ;;
  esac
}
# shellcheck disable=SC2317 # `within` calls it
is_gone() { ! holds; }

# The other balancer that takes the connections over. For a moment after its boot it only answers.
find_peer() {
  local end=$((SECONDS + 3))
  for peer in "${peers[@]}"; do
    while serves "$peer" "$API_PORT"; do
      if serves "$peer" @probe@; then return; fi
      if ((SECONDS >= end)); then break; fi
      sleep 0.2
    done
  done
  return 1
}

away() {
  local peer
  # No more connections; those that have come stay translated.
  nft flush chain ip groundplane_receive arriving 2>/dev/null
  if [ "$FLOATING_IP_BY" = static ] || ! holds; then return; fi
  if ! find_peer; then
    echo "no other balancer takes the connections of $API_ADDRESS over"
    return
  fi
  if divert "$peer"; then finish; fi
  release
  if ! within "$patience" is_gone; then
    echo "$API_ADDRESS does not move"
    keep
    return
  fi
  within "$patience" serves "$API_ADDRESS" "$API_PORT" || echo "$API_ADDRESS has moved, and no balancer answers there"
  # For clients that send here until they know its holder.
  sleep 1
}

prepare() {
  nft --file @rules@ || echo "this balancer cannot take connections over before it has $API_ADDRESS"
  if [ ! -e "$mark" ]; then return; fi
  keep
  if return_here; then rm -f "$mark"; fi
}

case ${1:-} in
prepare) prepare ;;
away) away ;;
*)
  echo "usage: hand-over prepare|away" >&2
  exit 2
  ;;
esac
exit 0
