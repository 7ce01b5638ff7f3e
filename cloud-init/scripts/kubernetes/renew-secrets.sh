#!/bin/bash
# renew-secrets: writes every Secret of the cluster again, so that API servers encrypt it with their present key, and gives new tokens to token
# Secrets whose token another key signed than that of NEW_KEYS. May be killed anywhere and run again. Exit code 1 = not yet.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

keys=${NEW_KEYS:-/var/lib/groundplane/new-keys}
patience=60
cluster() { kubectl --server "https://$NODE_ADDRESS:$API_PORT" "$@"; }

# A Secret that was changed or deleted meanwhile is written with the present key, or is gone.
rewrite() {
  local said status=0
  said=$(
    cluster get secrets --all-namespaces --output json | cluster replace --filename - 2>&1 >/dev/null ||
      exit "$((PIPESTATUS[0] == 0 ? 1 : 2))"
  ) || status=$?
  if [ "$status" -eq 0 ]; then return 0; fi
  said=$(grep -v -e '^Error from server (Conflict)' -e '^Error from server (NotFound)' -e '^error: no objects passed' <<<"$said" || true)
  # A list that failed looks like a cluster without Secrets. None of them is written with the present key then.
  if [ -z "$said" ] && [ "$status" -eq 1 ]; then return 0; fi
  if [ -n "$said" ]; then head -n 3 <<<"$said" >&2; fi
  return 1
}

decoded() { tr '_-' '/+' | base64 -d 2>/dev/null || true; }

# The name of a key in the tokens that it signs.
key_name() { openssl pkey -pubin -in "$1" -outform DER | openssl dgst -sha256 -binary | base64 -w 0 | tr '/+' '_-' | tr -d '='; }

# Token Secrets whose token the key has not signed.
former_tokens() {
  local namespace name token header
  cluster get secrets --all-namespaces --field-selector type=kubernetes.io/service-account-token \
    --output jsonpath='{range .items[*]}{.metadata.namespace} {.metadata.name} {.data.token}{"\n"}{end}' |
    while read -r namespace name token; do
      token=$(base64 -d <<<"$token")
      header=$(decoded <<<"${token%%.*}")
      if [[ "$header" != *"\"kid\":\"$key\""* ]]; then echo "$namespace $name $([ -z "$token" ] || echo old)"; fi
    done
}

# The controller manager gives a token to a token Secret that has none.
renew_tokens() {
  local namespace name old left end=$((SECONDS + patience))
  key=$(key_name "$keys/sa.pub")
  while :; do
    left=$(former_tokens)
    if [ -z "$left" ]; then return 0; fi
    while read -r namespace name old; do
      if [ -n "$old" ]; then
        cluster patch secret --namespace "$namespace" "$name" --type merge --patch '{"data":{"token":null}}' >/dev/null
      fi
    done <<<"$left"
    if ((SECONDS >= end)); then
      echo "these Secrets have no new token: $(cut -d ' ' -f 1,2 <<<"$left" | tr ' \n' '/ ')" >&2
      return 1
    fi
    sleep 1
  done
}

read_phase
if [ "$phase" != member ]; then
  echo "this master is no member of the cluster yet" >&2
  exit 1
fi
rewrite
if [ -e "$keys/sa.pub" ]; then renew_tokens; fi
