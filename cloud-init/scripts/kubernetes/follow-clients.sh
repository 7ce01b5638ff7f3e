#!/bin/bash
# follow-clients [CERTIFICATE]: waits until this master's API server accepts those administrators that are in its file, and no others. With a
# certificate (base64 of its PEM text), it first adds it to the file. May be killed anywhere and run again. Exit code 1 = not yet. Fine
# on a master that is no member yet: its API server begins with the file as it is then.
#
# An API server names the authorities of the client certificates that it accepts to everyone who connects. As a static pod it reads
# the changed file by itself, as a service it is restarted.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

clients=${API_CLIENTS:-/etc/kubernetes/api-server/clients.crt}
# The API server looks every minute by itself, should it miss the change.
patience=${PATIENCE:-150}

# add FILE: an administrator's certificate, unless the file has it.
add() {
  local name known
  name=$(openssl x509 -noout -fingerprint -sha256 -in "$1")
  known=$(fingerprints)
  if grep -qxF "$name" <<<"$known"; then return 0; fi
  cat "$clients" "$1" >"$clients.new"
  chmod 0600 "$clients.new"
  mv "$clients.new" "$clients"
}

fingerprints() {
  local text="" line
  while IFS= read -r line; do
    text+=$line$'\n'
    if [ "$line" = "-----END CERTIFICATE-----" ]; then
      openssl x509 -noout -fingerprint -sha256 <<<"$text"
      text=""
    fi
  done <"$clients"
}

administrators() { grep -o 'groundplane:administrator:[0-9a-f]*' | sort -u || true; }

accepted() { openssl s_client -connect "$NODE_ADDRESS:$API_PORT" </dev/null 2>/dev/null | administrators; }

is_ready() { curl -skf --max-time 2 -o /dev/null "https://$NODE_ADDRESS:$API_PORT/readyz"; }

if [ "$#" -gt 0 ]; then
  added=$(mktemp)
  trap 'rm -f "$added"' EXIT
  base64 -d <<<"$1" >"$added"
  add "$added"
fi
read_phase
if [ "$phase" != member ]; then exit 0; fi
wanted=$(openssl crl2pkcs7 -nocrl -certfile "$clients" | openssl pkcs7 -print_certs -noout | administrators)
end=$((SECONDS + patience))
until [ "$(accepted)" = "$wanted" ] && is_ready; do
  if ((SECONDS >= end)); then
    echo "the API server does not accept the administrators of $clients" >&2
    exit 1
  fi
  sleep 0.5
done
