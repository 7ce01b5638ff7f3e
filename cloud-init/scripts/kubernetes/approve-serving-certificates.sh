#!/bin/bash
# Approves the serving certificates of the kubelets of planned nodes; a unit runs it on every master. It approves a request
# whose signer, usages, requester and subject match a planned node, and which contains only this node's name and planned
# address. It denies all others with the reason, except those of nodes that are not planned yet: they stay pending. Its own
# identity may do nothing else in the cluster. It waits in one long watch of the local API server, which ends with that server;
# the unit then starts it again.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env

collection=https://$NODE_ADDRESS:$API_PORT/apis/certificates.k8s.io/v1/certificatesigningrequests
selector=fieldSelector=spec.signerName%3Dkubernetes.io/kubelet-serving
identity=${RUNTIME_DIRECTORY:?}
checker=$(dirname "$0")/check-serving-request
# Exit code of the checker for a node that may be planned later.
not_yet=3
declare -A told

api() {
  curl -sSfN --cacert "$identity/ca.crt" --cert "$identity/client.crt" --key "$identity/client.key" "$@"
}

# One line per event; ends when the API server closes the watch, as it does after an hour or less.
watch_requests() { api "$collection?watch=1&$selector"; }

# Undecided requests as lines with tabs: NAME VERSION REQUEST REQUESTER USAGES. jq escapes tabs and line breaks.
pending_requests() {
  api --max-time 10 "$collection?$selector" | jq -r '.items[] | select((.status.conditions // []) == [])
    | [.metadata.name, .metadata.resourceVersion, .spec.request, .spec.username, (.spec.usages | sort | join(","))] | @tsv'
}

# decide_on NAME VERSION TYPE REASON MESSAGE. Another master may decide first: the version then differs.
decide_on() {
  jq -n --arg version "$2" --arg type "$3" --arg reason "$4" --arg message "$5" '{
    metadata: { resourceVersion: $version },
    status: { conditions: [{ type: $type, status: "True", reason: $reason, message: $message }] } }' |
    api --max-time 10 -o /dev/null -X PATCH -H 'content-type: application/merge-patch+json' --data-binary @- \
      "$collection/$1/approval" || return 0
  echo "$3: $1: $5"
}

# The plan is read again each time: a worker may have been added since.
decide() {
  local name version request requester usages reason code
  while IFS=$'\t' read -r name version request requester usages; do
    code=0
    reason=$("$checker" "$requester" "$usages" "$PLANNED_NODES" < <(base64 -d <<<"$request")) || code=$?
    if [ "$code" = 0 ]; then
      decide_on "$name" "$version" Approved AsPlanned "the serving certificate of a planned node"
    elif [ "$code" != "$not_yet" ]; then
      decide_on "$name" "$version" Denied NotAsPlanned "$reason"
    elif [ -z "${told[$name]:-}" ]; then
      echo "left pending: $name of $requester: $reason"
      told[$name]=yes
    fi
  done < <(pending_requests)
}

turn=0
for master in $MASTER_NAMES; do
  if [ "$master" = "$NODE_NAME" ]; then break; fi
  turn=$((turn + 1))
done
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
