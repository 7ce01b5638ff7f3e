#!/bin/bash
# renew-certificates [all]: renews the certificates of this member of etcd when one of them ends within RENEWAL_SECONDS, or at once
# with `all`. A timer runs it every hour, on each machine at another minute. etcd reads changed files by itself.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

read_phase
if [ "$phase" != member ]; then exit 0; fi
# A rotation of etcd's authority also issues certificates.
exec 9>>"$state_folder/certificates.lock"
flock 9
for name in server peer healthcheck-client; do
  file=/etc/kubernetes/pki/etcd/$name.crt
  if [ "${1:-}" = all ] || ! openssl x509 -noout -checkend "$RENEWAL_SECONDS" -in "$file" >/dev/null 2>&1; then
    kubeadm certs renew "etcd-$name" --config "$KUBEADM_CONTROL_PLANE"
  fi
done
