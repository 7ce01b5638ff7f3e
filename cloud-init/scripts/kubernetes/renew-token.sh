#!/bin/bash
# renew-token MINUTES <TOKEN: makes the join token on stdin valid for a few minutes, whether it still exists or not. The
# cluster's controllers then sign cluster-info with it. The token passes through pipes only, never through arguments.
set -eu
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

minutes=${1:?usage: renew-token MINUTES <TOKEN}
IFS= read -r token || [ -n "$token" ]
if ! [[ "$token" =~ ^([a-z0-9]{6})\.([a-z0-9]{16})$ ]]; then
  echo "stdin holds no bootstrap token" >&2
  exit 2
fi
id=${BASH_REMATCH[1]}
secret=${BASH_REMATCH[2]}
expiration=$(date -u -d "+$minutes minutes" +%Y-%m-%dT%H:%M:%SZ)

encoded() { printf '%s' "$1" | base64 -w0; }

# Server-side: a client-side apply would leave a copy of the token in an annotation.
kubectl apply --server-side --force-conflicts --validate=false -f - >/dev/null <<MANIFEST
apiVersion: v1
kind: Secret
metadata:
  name: bootstrap-token-$id
  namespace: kube-system
type: bootstrap.kubernetes.io/token
data:
  token-id: $(encoded "$id")
  token-secret: $(encoded "$secret")
  expiration: $(encoded "$expiration")
  usage-bootstrap-authentication: $(encoded true)
  usage-bootstrap-signing: $(encoded true)
  auth-extra-groups: $(encoded system:bootstrappers:kubeadm:default-node-token)
MANIFEST
