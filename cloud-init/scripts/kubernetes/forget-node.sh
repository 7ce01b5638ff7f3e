#!/bin/bash
# forget-node NAME: removes the etcd member and the Node object of that name, if any. Run it on a master other than NAME.
set -eu
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=etcd-command.sh
. "$here/etcd-command"
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

name=${1:?usage: forget-node NAME}
if [ "$name" = "$NODE_NAME" ]; then
  echo "a node cannot remove itself: ask another master to forget $name" >&2
  exit 1
fi

# A member that was added but never started has no name: identify it by its address.
address=$(awk -v name="$name" '$1 == name { print $2 }' "$PLANNED_NODES")
# Columns: id, status, name, peer URLs, client URLs, learner.
members=$(etcd "$local_etcd" member list --write-out=simple)
stale=$(awk -F ', ' -v name="$name" -v peer="https://${address:-none}:2380" '$3 == name || $4 == peer { print $1 }' <<<"$members")

# Without a leader, etcd accepts no writes until another one is elected.
take_over() {
  local theirs=https://$address:2379 status heir
  status=$(etcd "$theirs" --command-timeout=2s endpoint status --write-out=json 2>/dev/null) || return 0
  if [ "$(jq '.[0].Status | .leader == .header.member_id' <<<"$status")" != true ]; then return 0; fi
  heir=$(awk -F ', ' -v name="$NODE_NAME" '$3 == name { print $1 }' <<<"$members")
  etcd "$theirs" move-leader "$heir"
}

if [ -n "$stale" ]; then take_over || echo "etcd elects another leader" >&2; fi
for id in $stale; do etcd "$local_etcd" member remove "$id"; done

# The connection may go through the leaving master, or the API may wait for etcd.
patiently() {
  until kubectl --request-timeout=5s "$@"; do
    if ((SECONDS > 40)); then exit 1; fi
    sleep 1
  done
}

patiently delete node "$name" --ignore-not-found
# The garbage collector would keep them for most of a minute; a new node of the same name would adopt them, and DaemonSets would
# not detect the new node.
patiently delete pods --all-namespaces --field-selector "spec.nodeName=$name" --force --grace-period=0 --wait=false
