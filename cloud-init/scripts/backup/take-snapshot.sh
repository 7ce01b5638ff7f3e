#!/bin/bash
# take-snapshot FOLDER: takes a snapshot of etcd on this member, or on a master of its clients, verifies it and prints it: the answer to a read, the member's status, a
# line of size and digest, then the bytes. Nothing remains in FOLDER; what a killed run left is removed by the next one.
set -eu -o pipefail
umask 077
folder=${1:?usage: bash -s -- FOLDER}
file=$folder/etcd.db
pki=${ETCD_PKI:-/etc/kubernetes/pki/etcd}
client=${ETCD_CLIENT:-$pki/healthcheck-client}

etcd() {
  etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$pki/ca.crt" \
    --cert="$client.crt" --key="$client.key" "$@"
}

exec 9>"$folder.lock"
if ! flock --nonblock 9; then
  echo "another backup is being taken on this machine" >&2
  exit 1
fi
trap 'rm -rf "$folder"' EXIT
rm -rf "$folder"
mkdir -p "$folder"

# A read that a majority confirms: this member has everything up to the revision of the answer, and so has the snapshot.
answer=$(etcd --command-timeout=5s get groundplane --write-out=json)
status=$(etcd --command-timeout=5s endpoint status --write-out=json)
if ! etcd snapshot save "$file" >"$folder/log" 2>&1; then
  tail -n 3 "$folder/log" >&2
  exit 1
fi

# etcd appends the SHA-256 of its database, whose pages are multiples of 512 bytes. `etcdutl` verifies a snapshot by it.
size=$(stat -c %s "$file")
if ((size % 512 != 32)); then
  echo "the snapshot is incomplete: $size bytes" >&2
  exit 1
fi
recorded=$(tail -c 32 "$file" | od -An -v -tx1 | tr -d ' \n')
digest=$(head -c -32 "$file" | sha256sum | cut -d ' ' -f 1)
if [ "$recorded" != "$digest" ]; then
  echo "the snapshot is damaged: its digest is $digest, and etcd recorded $recorded" >&2
  exit 1
fi
printf '%s\n%s\n%s %s\n' "$answer" "$status" "$size" "$digest"
cat "$file"
