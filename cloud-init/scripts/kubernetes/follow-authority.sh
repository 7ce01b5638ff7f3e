#!/bin/bash
# follow-authority AUTHORITY: this node trusts the cluster's new authority in place of the former one, and its kubelet gets certificates of it.
# AUTHORITY is base64 of the PEM text of the new one, of which all API servers have certificates. On a balancer, its checks of API
# servers follow. Does nothing where that is so already; may be killed anywhere and run again. Exit code 1 = not yet. Pods go on.
#
# The kubelet asks for its certificates itself, as it does when a node joins: with its former one in place of a token. So no key leaves
# the node.
set -eu -o pipefail
here=$(dirname "$0")
pki=${PKI:-/etc/kubernetes/pki}
kubeconfig=${KUBELET_KUBECONFIG:-/etc/kubernetes/kubelet.conf}
bootstrap=${KUBELET_BOOTSTRAP:-/etc/kubernetes/bootstrap-kubelet.conf}
certificates=${KUBELET_PKI:-/var/lib/kubelet/pki}
balancer_authority=${BALANCER_AUTHORITY:-/etc/haproxy/cluster-ca.crt}
state_folder=${STATE_FOLDER:-/var/lib/groundplane}
patience=${PATIENCE:-180}

client=$certificates/kubelet-client-current.pem
server=$certificates/kubelet-server-current.pem
former=$certificates/groundplane-former-client.pem
# Until the balancer has read its file.
mark=$state_folder/follows-authority

umask 077
mkdir -p "$state_folder"
exec 9>>"$state_folder/authority.lock"
flock 9
new=$(mktemp)
trap 'rm -f "$new"' EXIT
base64 -d <<<"${1:?usage: follow-authority AUTHORITY}" >"$new"

# replace FILE MODE
replace() {
  cp "$new" "$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

is_of_new() { openssl verify -CAfile "$new" "$1" >/dev/null 2>&1; }
trusts_new() { [ "$(sed -n 's/^ *certificate-authority-data: //p' "$kubeconfig")" = "$(base64 -w 0 "$new")" ]; }
# A master signs with it, so that its own stages replace it.
has_authority() { [ -e "$pki/ca.key" ] || cmp --silent "$new" "$pki/ca.crt"; }

follow_as_balancer() {
  if [ ! -e "$balancer_authority" ]; then return 0; fi
  if ! cmp --silent "$new" "$balancer_authority"; then
    touch "$mark"
    replace "$balancer_authority" 0644
  fi
  if [ ! -e "$mark" ]; then return 0; fi
  if [ -x "$here/reload-haproxy" ]; then "$here/reload-haproxy" 9>&- >&2 || exit 1; fi
  rm -f "$mark"
}

follow_as_node() {
  local end
  if [ ! -e "$kubeconfig" ] || is_done; then return 0; fi
  if ! has_authority; then replace "$pki/ca.crt" 0644; fi
  # Before the kubelet starts without a certificate, it has another way to its API server.
  if [ -e "$client" ] && ! is_of_new "$client"; then
    cp -L "$client" "$former.new"
    mv "$former.new" "$former"
    write_bootstrap
    rm -f "$client"
  elif [ -e "$client" ] && ! trusts_new; then
    sed "s|^\( *certificate-authority-data:\).*|\1 $(base64 -w 0 "$new")|" "$kubeconfig" >"$kubeconfig.new"
    mv "$kubeconfig.new" "$kubeconfig"
  fi
  if ! is_of_new "$server"; then rm -f "$server"; fi
  systemctl restart kubelet
  end=$((SECONDS + patience))
  until has_followed; do
    if ((SECONDS >= end)); then
      echo "the kubelet has no certificates of the new authority" >&2
      exit 1
    fi
    sleep 0.5
  done
  rm -f "$bootstrap" "$former"
}

has_certificates() { trusts_new && is_of_new "$client" && is_of_new "$server"; }
is_done() { [ ! -e "$bootstrap" ] && has_authority && has_certificates; }
has_followed() { has_certificates && curl -sf --max-time 1 -o /dev/null http://127.0.0.1:10248/healthz; }

# As kubeadm writes it for a join.
write_bootstrap() {
  cat >"$bootstrap.new" <<END
apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: $(base64 -w 0 "$new")
    server: $(sed -n 's/^ *server: //p' "$kubeconfig")
users:
- name: kubelet
  user:
    client-certificate: $former
    client-key: $former
contexts:
- name: kubelet
  context:
    cluster: kubernetes
    user: kubelet
current-context: kubelet
END
  mv "$bootstrap.new" "$bootstrap"
}

follow_as_node
follow_as_balancer
