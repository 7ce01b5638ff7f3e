#!/bin/bash
# serve-chain: the certificate of this master's API server is followed by those of the cluster's authority and of its issuers, without
# the root, so that clients which trust only the root accept it. Issues the certificate if it is not there yet. May be killed anywhere
# and run again. kubeadm renews the certificate alone, and the API server reads a changed file by itself.
set -eu -o pipefail
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"

configuration=$(dirname "$KUBEADM_INIT_CONFIGURATION")/control-plane.yaml
pki=${PKI_FOLDER:-/etc/kubernetes/pki}
served=$pki/apiserver.crt
end="-----END CERTIFICATE-----"

if [ ! -e "$served" ]; then
  # kubeadm writes the key first, and accepts no key without a certificate.
  rm -f "$pki/apiserver.key"
  kubeadm init phase certs apiserver --config "$configuration"
fi
# The last one is the root.
issuers=$(($(grep -cxF -e "$end" "$pki/ca-bundle.crt") - 1))
(umask 077 && {
  sed "/^$end\$/q" "$served"
  awk -v issuers="$issuers" -v end="$end" 'n < issuers { print } $0 == end { n++ }' "$pki/ca-bundle.crt"
} >"$served.new")
chmod --reference="$served" "$served.new"
if cmp --silent "$served" "$served.new"; then
  rm "$served.new"
else
  mv "$served.new" "$served"
fi
