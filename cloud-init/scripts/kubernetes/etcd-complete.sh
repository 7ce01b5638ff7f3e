#!/bin/bash
# etcd-complete NAME…: exit 0 when each of these is a voting member of etcd and healthy, and no other vote belongs to a member that
# never started. Else prints the reason. A learner has no vote, so that of other names does not matter.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=etcd-command.sh
. "$here/etcd-command"

: "${1:?usage: etcd-complete NAME…}"

if ! members=$(etcd "$local_etcd" --command-timeout=5s member list --write-out=simple 2>&1); then
  echo "etcd cannot decide anything now: $(tail -n 1 <<<"$members")"
  exit 1
fi
declare -A endpoints=()
# Columns: id, status, name, peer URLs, client URLs, learner.
while IFS=, read -r _ _ member peer endpoint learner; do
  member=${member# } peer=${peer# } endpoint=${endpoint# } learner=${learner# }
  if [ "$learner" = true ]; then continue; fi
  if [ -z "$member" ]; then
    echo "the member of etcd at $peer never started"
    exit 1
  fi
  endpoints[$member]=$endpoint
done <<<"$members"
for name in "$@"; do
  if [ -z "${endpoints[$name]:-}" ]; then
    echo "$name is not a voting member of etcd"
    exit 1
  fi
  # Only a member with a leader can respond.
  if ! etcd "${endpoints[$name]}" --command-timeout=3s endpoint health >/dev/null 2>&1; then
    echo "etcd on $name is not healthy"
    exit 1
  fi
done
