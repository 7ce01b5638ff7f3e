#!/bin/bash
# forget-node NAME: removes the etcd member and the Node object of that name; fine when there are none. Run on another
# master than NAME.
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

# A member that was added and never started has no name yet: its address tells whose it is.
address=$(awk -v name="$name" '$1 == name { print $2 }' "$PLANNED_NODES")
# Columns: id, status, name, peer URLs, client URLs, learner.
members=$(etcd "$local_etcd" member list --write-out=simple)
stale=$(awk -F ', ' -v name="$name" -v peer="https://${address:-none}:2380" '$3 == name || $4 == peer { print $1 }' <<<"$members")
for id in $stale; do etcd "$local_etcd" member remove "$id"; done

kubectl delete node "$name" --ignore-not-found
