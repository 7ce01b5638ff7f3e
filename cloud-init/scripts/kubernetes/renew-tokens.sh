#!/bin/bash
# renew-tokens: the kubelet of this node renews the tokens of its pods that another key signed than that of NEW_KEYS. It keeps tokens in memory
# until most of their hour is over, and gets new ones after a restart; pods go on. May be killed anywhere and run again. Exit
# code 1 = not yet. Fine on a node that is no member yet: its pods begin with tokens of the new key.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

keys=${NEW_KEYS:-/var/lib/groundplane/new-keys}
pods=${PODS:-/var/lib/kubelet/pods}
# The name of the key, until the pods have read their new tokens.
mark=$state_folder/renews-tokens
patience=180
# The clients of Kubernetes read the file of their token once a minute.
reading=65

decoded() { tr '_-' '/+' | base64 -d 2>/dev/null | tr -d '\0' || true; }

# The name of a key in the tokens that it signs.
key_name() { openssl pkey -pubin -in "$1" -outform DER | openssl dgst -sha256 -binary | base64 -w 0 | tr '/+' '_-' | tr -d '='; }

# The UIDs of pods with a token of another key. A token names its pod.
former_tokens() {
  local file pod token payload
  # A pod that ends meanwhile takes its files along.
  { find "$pods"/*/volumes/kubernetes.io~projected/*/..data/ -type f -size -64k 2>/dev/null || true; } | while IFS= read -r file; do
    pod=${file#"$pods"/}
    pod=${pod%%/*}
    token=
    IFS= read -r token 2>/dev/null <"$file" || true
    if [[ ! "$token" =~ ^eyJ[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$ ]]; then continue; fi
    payload=$(decoded <<<"${BASH_REMATCH[1]}")
    if [[ "$payload" != *"\"uid\":\"$pod\""* ]]; then continue; fi
    if [[ "$(decoded <<<"${token%%.*}")" != *"\"kid\":\"$key\""* ]]; then echo "$pod"; fi
  done | sort -u
}

read_phase
if [ "$phase" != member ]; then exit 0; fi
key=$(key_name "$keys/sa.pub")
if [ "$(cat "$mark" 2>/dev/null || true)" != "$key" ]; then
  if [ -z "$(former_tokens)" ]; then exit 0; fi
  systemctl restart kubelet
  printf '%s\n' "$key" >"$mark"
fi
end=$((SECONDS + patience))
while left=$(former_tokens) && [ -n "$left" ]; do
  if ((SECONDS >= end)); then
    echo "the kubelet has not renewed the tokens of the pods $(tr '\n' ' ' <<<"$left")" >&2
    exit 1
  fi
  sleep 1
done
sleep "$reading"
rm -f "$mark"
