#!/bin/bash
# The progress of this node into the cluster; sourced by the commands that read or change it.
# Files of the state folder:
#   order   the order of the node: `first <initial cluster>`, `other <initial cluster>` or `join`
#   phase   three lines: phase (waiting, bootstrapping, joining, member, failed), step, error
#   steps   every step of the present order with its time, for cluster-wait
#   join-token   the token of the present join, until the node is a member

state_folder=/var/lib/groundplane
# shellcheck disable=SC2034 # for the scripts that source this
join_token=$state_folder/join-token
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

# One short line without control characters.
one_line() { printf '%s' "$*" | tr -s '\000-\037' ' ' | cut -c -600; }

# set_phase PHASE STEP [ERROR]: readers see the old state or the new one, never a partial one.
set_phase() {
  mkdir -p "$state_folder"
  printf '%s\n%s\n%s\n' "$1" "$(one_line "$2")" "$(one_line "${3:-}")" >"$state_folder/phase.new"
  mv "$state_folder/phase.new" "$state_folder/phase"
  printf '%(%H:%M:%S)T %s\n' -1 "$(one_line "$2${3:+: $3}")" >>"$state_folder/steps"
}

# Sets $phase, $step and $error.
# shellcheck disable=SC2034 # for the scripts that source this
read_phase() {
  phase=waiting step="" error=""
  if [ -r "$state_folder/phase" ]; then
    { read -r phase && IFS= read -r step && IFS= read -r error; } <"$state_folder/phase" || true
  fi
}

# Sets $order (first, other, join or none) and $initial_cluster.
read_order() {
  order=none initial_cluster=""
  if [ -r "$state_folder/order" ]; then read -r order initial_cluster <"$state_folder/order" || true; fi
}

has_etcd_data() { [ -d /var/lib/etcd/member ]; }

# give_order ORDER [INITIAL_CLUSTER]: writes the order for the service, which acts on it after every restart until the
# node is a member. The same order again starts a service that has failed and disturbs one that works.
give_order() {
  mkdir -p "$state_folder"
  read_phase
  read_order
  if [ "$phase" = member ]; then return 0; fi
  if [ "$order $initial_cluster" = "$1 ${2:-}" ] && [ "$phase" != failed ]; then
    systemctl start --no-block groundplane-cluster.service
    return 0
  fi
  : >"$state_folder/steps"
  set_phase waiting "ordered: $1"
  printf '%s\n' "$1${2:+ $2}" >"$state_folder/order.new"
  mv "$state_folder/order.new" "$state_folder/order"
  systemctl restart --no-block groundplane-cluster.service
}
