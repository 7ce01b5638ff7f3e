#!/bin/bash
# bash -s -- FOLDER NAME PEER_URL INITIAL_CLUSTER TOKEN: fills etcd's folder of this machine with FOLDER/etcd.db, before the machine has its
# order. May be killed anywhere and run again: the folder gets its name when it is complete.
set -eu -o pipefail
umask 077
folder=$1 name=$2 peer_url=$3 initial_cluster=$4 token=$5
data=/var/lib/etcd

if [ -e /var/lib/groundplane/order ]; then
  echo "this machine has its order: it has been restored, or belongs to a cluster" >&2
  exit 1
fi
mkdir -p "$data"
rm -rf "$data/restored" "$data/member"
chmod 0700 "$folder/etcdutl"
# Revisions never repeat: clients that saw later ones of the lost cluster read everything again.
if ! "$folder/etcdutl" snapshot restore "$folder/etcd.db" --data-dir "$data/restored" --name "$name" \
  --initial-advertise-peer-urls "$peer_url" --initial-cluster "$initial_cluster" --initial-cluster-token "$token" \
  --bump-revision 1000000000 --mark-compacted >"$folder/log" 2>&1; then
  tail -n 3 "$folder/log" >&2
  exit 1
fi
chown -R --reference="$data" "$data/restored"
mv "$data/restored/member" "$data/member"
rm -rf "$data/restored" "$folder"
sync
