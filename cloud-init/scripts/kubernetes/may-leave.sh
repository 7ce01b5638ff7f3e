#!/bin/bash
# may-leave NAME: exit 0 when etcd keeps its quorum without the member NAME: all others are voting members, and a majority of
# them is healthy. Else prints the reason. Run it on a master other than NAME.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=etcd-command.sh
. "$here/etcd-command"

name=${1:?usage: may-leave NAME}

if ! members=$(etcd "$local_etcd" member list --write-out=simple 2>&1); then
  echo "etcd cannot decide anything now: $(tail -n 1 <<<"$members")"
  exit 1
fi
voters=0
healthy=0
sick=""
# Columns: id, status, name, peer URLs, client URLs, learner.
while IFS=, read -r _ _ member _ endpoint learner; do
  member=${member# } endpoint=${endpoint# } learner=${learner# }
  if [ "$member" = "$name" ]; then continue; fi
  if [ "$learner" = true ]; then
    echo "etcd is taking in ${member:-a new member}"
    exit 1
  fi
  voters=$((voters + 1))
  # Only a member with a leader can respond.
  if [ -n "$endpoint" ] && etcd "$endpoint" --command-timeout=3s endpoint health >/dev/null 2>&1; then
    healthy=$((healthy + 1))
  else
    sick+=" ${member:-one that never started}"
  fi
done <<<"$members"
if [ $((healthy * 2)) -le "$voters" ]; then
  echo "of the $voters members that etcd would have left $healthy are healthy; not:$sick"
  exit 1
fi
