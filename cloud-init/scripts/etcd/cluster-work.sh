#!/bin/bash
# Does what the order says until this machine is a voting member of etcd; run by groundplane-cluster.service. May be killed
# anywhere and run again: kubeadm's phases reuse existing certificates, and nothing here ever removes etcd's data.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"
# shellcheck source-path=SCRIPTDIR source=../kubernetes/etcd-command.sh
. "$here/etcd-command"

log_folder=/var/log/groundplane
kubeadm_log=$log_folder/kubeadm.log
etcd_patch=$KUBEADM_PATCHES/etcd0+json.json
attempts=3
# Seconds for one step that waits for other machines.
patience=120

main() {
  read_phase
  read_order
  if [ "$phase" = member ] || [ "$order" = none ]; then exit 0; fi
  (umask 077 && mkdir -p "$log_folder")
  mkdir -p "$KUBEADM_PATCHES"
  case $order in
    first | other) work bootstrapping bootstrap_member ;;
    join) work joining join_member ;;
    *) fail "unknown order: $order" ;;
  esac
  rm -f "$etcd_patch"
  set_phase member "member of etcd"
}

# work PHASE FUNCTION
work() {
  set_phase "$1" "waiting for @runtime@"
  until @answers@; do sleep 0.1; done
  local attempt status
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    # Never as a condition: there the shell goes on after a failed step.
    set +e
    (
      set -e
      "$2" "$1"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then return 0; fi
    if [ "$attempt" -lt "$attempts" ]; then set_phase "$1" "attempt $attempt failed, trying again" "$(last_error)"; fi
    sleep 1
  done
  fail "$(last_error)"
}

fail() {
  set_phase failed "given up" "$1"
  exit 1
}

last_error() { tail -n 1 "$kubeadm_log" 2>/dev/null || true; }

bootstrap_member() {
  make_certificates "$1"
  write_patch "$initial_cluster" new
  start_etcd "$1"
  await "$1" "waiting for the other members of etcd" is_healthy
}

# Data mean that the members have admitted this machine already.
join_member() {
  make_certificates "$1"
  if ! has_etcd_data; then await "$1" "waiting until etcd admits this machine" admit; fi
  start_etcd "$1"
  await "$1" "waiting until this machine has etcd's data and votes" promote
  await "$1" "waiting for etcd" is_healthy
}

make_certificates() {
  local name
  for name in etcd-server etcd-peer etcd-healthcheck-client; do
    set_phase "$1" "kubeadm: certificate $name"
    kubeadm init phase certs "$name" --config "$KUBEADM_CONTROL_PLANE" >"$kubeadm_log" 2>&1
  done
}

# write_patch INITIAL_CLUSTER STATE: kubeadm appends it to the flags, where the last one wins; etcd ignores it once it has data.
write_patch() {
  jq -n --arg cluster "--initial-cluster=$1" --arg state "--initial-cluster-state=$2" \
    '[$cluster, $state] | map({ op: "add", path: "/spec/containers/0/command/-", value: . })' >"$etcd_patch.new"
  mv "$etcd_patch.new" "$etcd_patch"
}

# The kubelet starts the static pod that kubeadm writes.
start_etcd() {
  set_phase "$1" "kubeadm: etcd"
  kubeadm init phase etcd local --config "$KUBEADM_CONTROL_PLANE" >"$kubeadm_log" 2>&1
}

# await PHASE STEP CONDITION
await() {
  local end=$((SECONDS + patience))
  set_phase "$1" "$2"
  until "$3" >"$kubeadm_log" 2>&1; do
    if ((SECONDS >= end)); then return 1; fi
    sleep 0.3
  done
}

is_healthy() { curl -sSf --max-time 2 -o /dev/null http://127.0.0.1:2381/health; }

# Sets $living: another member that has a quorum.
find_living() {
  local member address
  for member in $ETCD_MEMBERS; do
    address=${member#*=}
    if [ "$address" = "$NODE_ADDRESS" ]; then continue; fi
    living=https://$address:2379
    if etcd "$living" --dial-timeout=1s --command-timeout=2s endpoint health; then return 0; fi
  done
  echo "no other member of etcd responds"
  return 1
}

# Own entries of the list of members, by name or, if never started, by address. Columns: id, status, name, peer URLs, client
# URLs, learner.
own_members() {
  etcd "$living" member list --write-out=simple |
    awk -F ', ' -v name="$NODE_NAME" -v peer="https://$NODE_ADDRESS:2380" '$3 == name || $4 == peer { print $1, $6 }'
}

# A member of this name without data is an earlier machine, or one that was added and never started. A learner has no vote, so
# the others keep their majority until it has the data.
admit() {
  local id members added
  find_living || return 1
  members=$(own_members) || return 1
  while read -r id _; do
    if [ -n "$id" ]; then etcd "$living" member remove "$id" || return 1; fi
  done <<<"$members"
  added=$(etcd "$living" member add "$NODE_NAME" --learner --peer-urls="https://$NODE_ADDRESS:2380") || return 1
  write_patch "$(sed -n 's/^ETCD_INITIAL_CLUSTER="\(.*\)"$/\1/p' <<<"$added")" existing
}

promote() {
  local members
  find_living || return 1
  members=$(own_members) || return 1
  case $members in
    *" false") return 0 ;;
    *" true") etcd "$living" member promote "${members%% *}" ;;
    *)
      echo "$NODE_NAME is not among the members of etcd"
      return 1
      ;;
  esac
}

main "$@"
