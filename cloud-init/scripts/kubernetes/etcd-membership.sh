#!/bin/bash
# How a machine becomes a member of etcd without kubeadm's join; sourced by cluster-work. ETCD_MEMBERS names all machines with etcd.

# Paths of the caller.
: "${here:?}" "${kubeadm_log:?}" "${etcd_patch:?}"
# Seconds for one step that waits for other machines.
etcd_patience=120

# join_etcd PHASE: this machine becomes a voting member, also after an attempt that was killed anywhere. Data mean that the members
# have admitted this machine already.
join_etcd() {
  if [ -x "$here/etcd-authority" ]; then "$here/etcd-authority" choose >"$kubeadm_log" 2>&1; fi
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

# The kubelet starts the static pod that kubeadm writes, or follow-manifests the service.
start_etcd() {
  set_phase "$1" "kubeadm: etcd"
  kubeadm init phase etcd local --config "$KUBEADM_CONTROL_PLANE" >"$kubeadm_log" 2>&1
}

# await PHASE STEP CONDITION
await() {
  local end=$((SECONDS + etcd_patience))
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
