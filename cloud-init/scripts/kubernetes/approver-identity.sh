#!/bin/bash
# approver-identity: writes a client certificate of one day for the approver of serving certificates into the unit's runtime
# folder. The unit runs it as root before each start of the approver, which itself runs as a user without any rights.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env
folder=${RUNTIME_DIRECTORY:?}
pki=${PKI_FOLDER:-/etc/kubernetes/pki}

umask 077
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$APPROVER_USER" \
  -keyout "$folder/client.key" -out "$folder/request.pem" 2>/dev/null
openssl x509 -req -in "$folder/request.pem" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days 1 \
  -set_serial "0x01$(openssl rand -hex 15)" -out "$folder/client.crt" 2>/dev/null \
  -extfile <(printf 'keyUsage = critical, digitalSignature\nextendedKeyUsage = clientAuth\n')
cp "$pki/ca.crt" "$folder/ca.crt"
rm "$folder/request.pem"
chown --reference="$folder" "$folder"/*
