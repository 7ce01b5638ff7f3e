#!/bin/bash
# renew-certificates [all]: renews the certificates of this master's control plane when one of them ends within RENEWAL_SECONDS, or
# at once with `all`. A timer runs it every hour, on each master at another minute. The authorities and the kubelet's certificates
# are no part of it: the kubelet rotates its own. It needs no running API, so that it also repairs a master whose certificates
# have ended.
#
# API server and etcd read changed files by themselves. The controller-manager and the scheduler have their certificates inside
# their kubeconfigs, which they read at their start: they are restarted.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

configuration=$(dirname "$KUBEADM_INIT_CONFIGURATION")/control-plane.yaml
pki=/etc/kubernetes/pki
patience=120
# shellcheck source-path=SCRIPTDIR source=certificate-ends.sh
. "$here/certificate-ends"

# One file per certificate that kubeadm renews.
ending() {
  local file data
  for file in "$pki"/{apiserver,apiserver-etcd-client,apiserver-kubelet-client,front-proxy-client}.crt \
    "$pki"/etcd/{server,peer,healthcheck-client}.crt; do
    if [ -e "$file" ] && is_due <"$file"; then echo "$file"; fi
  done
  for file in /etc/kubernetes/{admin,super-admin,controller-manager,scheduler}.conf; do
    data=$(sed -n 's/^ *client-certificate-data: //p' "$file" 2>/dev/null) || continue
    if [ -z "$data" ]; then continue; fi
    if base64 -d <<<"$data" | is_due; then echo "$file"; fi
  done
}

process_of() { pgrep --oldest --full "^$1 " || true; }
healthy() { curl -skf --max-time 2 -o /dev/null "$1"; }

# late END WHAT: reports what did not happen until then.
late() {
  if ((SECONDS < $1)); then
    sleep 0.5
    return 1
  fi
  echo "$2" >&2
}

# restart POD HEALTH: the kubelet starts the container again.
restart() {
  local former now end=$((SECONDS + patience))
  former=$(process_of "$1")
  if [ -n "$former" ]; then kill "$former" 2>/dev/null || true; fi
  until now=$(process_of "$1") && [ -n "$now" ] && [ "$now" != "$former" ] && healthy "$2"; do
    if late "$end" "$1 does not work with its renewed certificate"; then return 1; fi
  done
}

serial_of() { openssl x509 -noout -serial 2>/dev/null; }

# The API server presents the certificate that its file has.
serves_renewed() {
  local served end=$((SECONDS + patience))
  until served=$(openssl s_client -connect "$NODE_ADDRESS:$API_PORT" </dev/null 2>/dev/null | serial_of) &&
    [ "$served" = "$(serial_of <"$pki/apiserver.crt")" ]; do
    if late "$end" "the API server still has its former certificate and is restarted"; then return 1; fi
  done
}

read_phase
if [ "$phase" != member ]; then exit 0; fi
# A rotation of etcd's authority also issues certificates.
exec 9>>"$state_folder/certificates.lock"
flock 9
if [ "${1:-}" != all ]; then
  list=$(ending)
  if [ -z "$list" ]; then exit 0; fi
  echo "these certificates end within $RENEWAL_SECONDS s: $(tr '\n' ' ' <<<"$list")"
fi
limited=$(mktemp -d)
trap 'rm -rf "$limited"' EXIT
kubeadm certs renew all --config "$(limited_configuration "$configuration" "$limited/kubeadm.yaml")"
if [ -x "$here/serve-chain" ]; then "$here/serve-chain"; fi
result=0
restart kube-controller-manager https://127.0.0.1:10257/healthz || result=1
restart kube-scheduler https://127.0.0.1:10259/healthz || result=1
if ! serves_renewed; then
  restart kube-apiserver "https://$NODE_ADDRESS:$API_PORT/readyz" || result=1
fi
exit "$result"
