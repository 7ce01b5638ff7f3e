#!/bin/bash
# forget-node NAME: removes the etcd member of that name, if any. Run it on an etcd machine other than NAME.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/etcd-command.sh
. "$here/etcd-command"

name=${1:?usage: forget-node NAME}
if [ "$name" = "$NODE_NAME" ]; then
  echo "a member cannot remove itself: ask another etcd machine to forget $name" >&2
  exit 1
fi

# Columns: id, status, name, peer URLs, client URLs, learner.
members=$(etcd "$local_etcd" member list --write-out=simple)
read -r id theirs < <(awk -F ', ' -v name="$name" '$3 == name { print $1, $5 }' <<<"$members") || exit 0

# Without a leader, etcd accepts no writes until another one is elected.
take_over() {
  local status heir
  status=$(etcd "$theirs" --command-timeout=2s endpoint status --write-out=json 2>/dev/null) || return 0
  if [ "$(jq '.[0].Status | .leader == .header.member_id' <<<"$status")" != true ]; then return 0; fi
  heir=$(awk -F ', ' -v name="$NODE_NAME" '$3 == name { print $1 }' <<<"$members")
  etcd "$theirs" move-leader "$heir"
}

take_over || echo "etcd elects another leader" >&2
etcd "$local_etcd" member remove "$id"
