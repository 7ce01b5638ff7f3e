#!/bin/bash
# Approves the serving certificates of the kubelets of planned nodes; a unit runs it on every master. It approves a request
# whose signer, requester and subject match a planned node, and which contains only this node's name and planned address.
# All others stay pending and are logged once. It waits in one long watch of the local API server.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

signer=kubernetes.io/kubelet-serving
api=https://$NODE_ADDRESS:$API_PORT
credentials=${RUNTIME_DIRECTORY:?}
declare -A told

# curl needs a tenth of kubectl's memory, but needs the administrator's certificate in separate files.
write_credentials() {
  umask 077
  local user='{.users[0].user'
  kubectl config view --raw -o "jsonpath=$user.client-certificate-data}" | base64 -d >"$credentials/client.crt"
  kubectl config view --raw -o "jsonpath=$user.client-key-data}" | base64 -d >"$credentials/client.key"
}

# One line per event; ends when the API server closes the watch, as it does after an hour or less.
watch_requests() {
  curl -sfN --cacert /etc/kubernetes/pki/ca.crt --cert "$credentials/client.crt" --key "$credentials/client.key" \
    "$api/apis/certificates.k8s.io/v1/certificatesigningrequests?watch=1&fieldSelector=spec.signerName%3D$signer"
}

# `NAME REQUEST REQUESTER` of every undecided request.
pending_requests() {
  kubectl --server "$api" get csr --field-selector "spec.signerName=$signer" -o go-template='{{range .items}}
    {{- if not .status.conditions}}{{.metadata.name}} {{.spec.request}} {{.spec.username}}
{{end}}{{end}}'
}

# The plan is read again each time: a worker may have been added since.
decide() {
  local name request requester reason
  while read -r name request requester; do
    if reason=$("$checker" "$requester" "$PLANNED_NODES" < <(base64 -d <<<"$request")); then
      kubectl --server "$api" certificate approve "$name" || true
    elif [ -z "${told[$name]:-}" ]; then
      echo "left pending: $name of $requester: $reason"
      told[$name]=yes
    fi
  done < <(pending_requests)
}

checker=$(dirname "$0")/check-serving-request
turn=0
for master in $MASTER_NAMES; do
  if [ "$master" = "$NODE_NAME" ]; then break; fi
  turn=$((turn + 1))
done
write_credentials
# The watch begins with an ADDED event for every request that is there already.
while IFS= read -r event; do
  case $event in
    '{"type":"ADDED"'*) ;;
    *) continue ;;
  esac
  # The masters check in turns, so that usually one of them does the work; one check covers all events until then.
  sleep "$turn"
  while IFS= read -r -t 0.2 event; do :; done
  decide
done < <(watch_requests)
