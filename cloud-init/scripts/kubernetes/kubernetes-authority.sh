#!/bin/bash
# kubernetes-authority STAGE AUTHORITY [ARGUMENT…]: one stage of a rotation of the cluster's authority on this master. AUTHORITY is base64 of
# the PEM text of the new one. See authority-stages.
#   trust                   the API server and the kubelet accept certificates of both
#   reissue <KEY            the control plane has certificates of the new one, and signs with its key
#   drop … ADMINISTRATOR    the API server accepts the new one and this administrator's certificate (base64 of its PEM text) only
#   withdraw … WORKLOAD…    on one master, at the end: pods are offered the new one only, and the workloads (NAMESPACE/KIND/NAME) restart
# kubernetes-authority choose: before this master joins, the authority of its seed that the other masters use becomes its own.
#
# May be killed anywhere and run again. Exit code 1 = not yet.
#
# From `trust` to `drop`, ca.crt is the authority that signs, and authorities.crt has all that are trusted: controller managers cannot sign with
# more than one. Clients that trust the former authority only go on to verify this master, because its certificates come with that of
# the new one, cross-signed by the former one.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

authority=ca
family="kubernetes-ca"
# shellcheck source-path=SCRIPTDIR source=authority-stages.sh
. "$here/authority-stages"

kubernetes=${KUBERNETES:-/etc/kubernetes}
clients=${API_CLIENTS:-$kubernetes/api-server/clients.crt}
patches=${PATCHES:-/etc/groundplane/kubeadm/patches}
kubelet_settings=$kubernetes/kubelet.conf.d/30-authorities.conf
planned_nodes=${PLANNED_NODES:-/etc/groundplane/planned-nodes}
# Until the kubelet has read its changed files.
kubelet_mark=$state_folder/kubelet-reads-authorities
authorities=$pki/authorities.crt
# The certificate of the new authority, cross-signed by the former one.
cross_signed=$pki/cross-signed-authorities.crt
# Pairs of certificate and key, newest first.
former=$pki/former-authorities.pem
leaves=(apiserver apiserver-kubelet-client)

main() {
  stage=${1:?usage: kubernetes-authority trust|reissue|drop|withdraw AUTHORITY […], or kubernetes-authority choose}
  open_stage
  if [ "$stage" = choose ]; then
    choose
    return
  fi
  read_authority "${2:?the authority is missing}"
  read_phase
  [ "$phase" = member ] || not_yet "this master is no member of the cluster yet"
  shift 2
  case $stage in trust | reissue | drop | withdraw) "$stage" "$@" ;; *) not_yet "unknown stage: $stage" ;; esac
}

accepts_clients() { [ "$(accepted_at "$NODE_ADDRESS:$API_PORT")" = "$(names_in "$clients")" ] && is_ready; }
presents_new() { [ "$(issuer_at "$NODE_ADDRESS:$API_PORT")" = "$(name_of "$new")" ]; }

# A rotation has ended on this master, or it has joined since.
is_settled() { [ ! -e "$authorities" ] && is_only_new && is_reissued "${leaves[@]}"; }

# Nodes are removed last. The API would refuse the certificates of one that had no part in the rotation, so its pods could not end. One that is not
# Ready cannot be drained anyway.
refuse_other_nodes() {
  local all name ready
  all=$(cluster get nodes --output jsonpath='{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')
  while read -r name ready; do
    if [ "$ready" != True ] || is_planned "$name"; then continue; fi
    echo "$name is a node that the plan does not have: add it again, and remove it when the rotation is complete" >&2
    exit "$refused"
  done <<<"$all"
}

is_planned() { awk -v name="$1" '$1 == name { found = 1 } END { exit !found }' "$planned_nodes"; }

# add FILE: the new authority comes to those of the file.
add() {
  if has_certificate "$1" "$new"; then return 0; fi
  cat "$1" "$new" >"$work/added.crt"
  place "$work/added.crt" "$1"
}

public_key() { openssl x509 -noout -pubkey -in "$1"; }

# The first certificate of the file is the last one that was signed. A rotation that never ended may have left others.
cross_sign() {
  if [ "$(fingerprint "$ca")" = "$(fingerprint "$new")" ]; then return 0; fi
  if [ -e "$cross_signed" ] && [ "$(public_key "$cross_signed")" = "$(public_key "$new")" ]; then return 0; fi
  openssl x509 -in "$new" -CA "$ca" -CAkey "$pki/ca.key" -set_serial "0x01$(openssl rand -hex 15)" -days 3650 \
    -out "$work/cross-signed.crt" 2>/dev/null
  if [ -e "$cross_signed" ]; then cat "$cross_signed" >>"$work/cross-signed.crt"; fi
  place "$work/cross-signed.crt" "$cross_signed"
}

process_of() { pgrep --oldest --full "^$1 " || true; }

apply() { "$here/apply-control-plane" 9>&- || exit 1; }

# note COMPONENT FILE…: the component starts again when one of the files has changed, which it reads at its start only.
note() {
  local component=$1 digest
  shift
  digest=$(cat "$@" | sha256sum | cut -c 1-32)
  printf '{"metadata":{"annotations":{"groundplane.internal/authorities":"%s"}}}\n' "$digest" >"$patches/${component}6+merge.json"
}

# flags COMPONENT FLAG…: these arguments name the bundle in place of the authority. Of arguments of one name, the last one counts.
flags() {
  local component=$1 flag
  shift
  for flag in "$@"; do
    jq -n --arg value "--$flag=$authorities" '{ op: "add", path: "/spec/containers/0/command/-", value: $value }'
  done | jq -s . >"$patches/${component}5+json.json"
}

trusted_by_kubelet="apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: $authorities"

is_kubelet_healthy() { curl -sf --max-time 1 -o /dev/null http://127.0.0.1:10248/healthz; }

# restart_kubelet COMMAND…: after it has changed a file of the kubelet.
restart_kubelet() {
  touch "$kubelet_mark"
  "$@"
  systemctl restart kubelet
  await "the kubelet is not healthy" is_kubelet_healthy
  rm -f "$kubelet_mark"
}

is_scheduler_healthy() { curl -skf --max-time 2 -o /dev/null https://127.0.0.1:10259/healthz; }

# It reads its certificate at its start only. The kubelet starts it again. Until then it goes on with the former one.
restart_scheduler() {
  local process
  process=$(process_of kube-scheduler)
  if [ -n "$process" ]; then kill "$process" 2>/dev/null || true; fi
}

# The control plane of this master works with the files as they are now.
follow_bundle() {
  if [ -e "$kubelet_mark" ] || ! cmp --silent "$kubelet_settings" <<<"$trusted_by_kubelet"; then
    cat >"$work/kubelet.conf" <<<"$trusted_by_kubelet"
    restart_kubelet place "$work/kubelet.conf" "$kubelet_settings"
  fi
  flags kube-apiserver kubelet-certificate-authority
  flags kube-controller-manager root-ca-file client-ca-file
  note kube-apiserver "$authorities" "$pki/apiserver-kubelet-client.crt"
  note kube-controller-manager "$authorities" "$kubernetes/controller-manager.conf"
  apply
}

trust() {
  if is_settled; then return 0; fi
  if [ ! -e "$authorities" ] || ! has_certificate "$authorities" "$new"; then
    refuse_other_masters
    refuse_other_nodes
  fi
  cross_sign
  if [ ! -e "$authorities" ]; then
    cp "$ca" "$work/authorities.crt"
    place "$work/authorities.crt" "$authorities"
  fi
  add "$authorities"
  add "$clients"
  follow_bundle
  await "the API server does not accept the authorities of $clients" accepts_clients
}

kubeconfigs() {
  local name
  for name in admin super-admin controller-manager scheduler; do
    if [ -e "$kubernetes/$name.conf" ]; then echo "$name"; fi
  done
}

# trust_in KUBECONFIG FILE: its client trusts the authorities of the file.
trust_in() { sed -i "s|^\( *certificate-authority-data:\).*|\1 $(base64 -w 0 "$2")|" "$1"; }

client_in() { sed -n 's/^ *client-certificate-data: //p' "$1" | base64 -d; }

# Whether this master has all certificates of the new authority.
is_complete() {
  local name
  is_only_new && is_reissued "${leaves[@]}" || return 1
  for name in $(kubeconfigs); do
    client_in "$kubernetes/$name.conf" >"$work/client.crt"
    openssl verify -CAfile "$new" "$work/client.crt" >/dev/null 2>&1 || return 1
  done
}

reissue_all() {
  local name
  issue "${leaves[@]}"
  cp "$new" "$work/ca.crt"
  for name in $(kubeconfigs); do
    kubeadm init phase kubeconfig "$name" --config "$work/kubeadm.yaml" --kubeconfig-dir "$work" >"$work/log" 2>&1 ||
      not_yet "$(tail -n 1 "$work/log")"
    trust_in "$work/$name.conf" "$authorities"
  done
  for name in "${leaves[@]}"; do
    if [ -e "$cross_signed" ]; then cat "$cross_signed" >>"$work/$name.crt"; fi
  done
  for name in $(kubeconfigs); do place "$work/$name.conf" "$kubernetes/$name.conf"; done
  place_issued "${leaves[@]}"
}

reissue() {
  if is_settled; then return 0; fi
  if [ ! -e "$authorities" ] || ! has_certificate "$authorities" "$new"; then
    not_yet "this master does not accept the new authority yet"
  fi
  if ! is_complete; then reissue_all; fi
  follow_bundle
  # Its certificate is of this master's authority.
  systemctl try-restart groundplane-approve-serving-certificates.service
  await "the API server does not present its new certificate" presents_new
  await "the API server does not accept the authorities of $clients" accepts_clients
}

# drop ADMINISTRATOR
drop() {
  local name
  is_complete || not_yet "this master has certificates of a former authority"
  { cat "$new" && base64 -d <<<"${1:?the administrator is missing}"; } >"$work/clients.crt"
  if ! cmp --silent "$work/clients.crt" "$clients"; then
    refuse_other_nodes
    place "$work/clients.crt" "$clients"
  fi
  if [ -e "$authorities" ]; then
    for name in $(kubeconfigs); do
      cp "$kubernetes/$name.conf" "$work/$name.conf"
      trust_in "$work/$name.conf" "$new"
      place "$work/$name.conf" "$kubernetes/$name.conf"
    done
    restart_scheduler
    rm -f "$patches"/kube-*5+json.json "$patches"/kube-*6+merge.json
    if [ -e "$kubelet_mark" ] || [ -e "$kubelet_settings" ]; then restart_kubelet rm -f "$kubelet_settings"; fi
    apply
    await "the scheduler is not healthy" is_scheduler_healthy
    rm -f "$cross_signed" "$authorities"
  fi
  rm -f "$former"
  await "the API server accepts other authorities than those of $clients" accepts_clients
  "$here/follow-clients"
}

# withdraw WORKLOAD…: one that is created later in the same `up` starts with the new authority.
withdraw() {
  local workload namespace found
  local present=()
  await "another API server publishes the former authority again" is_withdrawn client-ca-file "$clients"
  await "the controller managers offer the former authority to pods" is_offered
  printf '{"spec":{"template":{"metadata":{"annotations":{"groundplane.internal/authority":"%s"}}}}}\n' "$(name_of "$new")" \
    >"$work/patch.json"
  for workload in "$@"; do
    namespace=${workload%%/*}
    # Not in a condition: the stage ends if the API does not respond.
    found=$(cluster get --namespace "$namespace" "${workload#*/}" --ignore-not-found --output name)
    if [ -z "$found" ]; then continue; fi
    present+=("$workload")
    cluster patch --namespace "$namespace" "${workload#*/}" --type merge --patch-file "$work/patch.json" >/dev/null
  done
  for workload in "${present[@]}"; do
    namespace=${workload%%/*}
    kubectl --server "https://$NODE_ADDRESS:$API_PORT" rollout status --namespace "$namespace" "${workload#*/}" \
      --timeout "${patience}s" >/dev/null
  done
}

is_offered() {
  cluster get configmaps --all-namespaces --field-selector metadata.name=kube-root-ca.crt --output json 2>/dev/null |
    jq -e --rawfile text "$new" '.items | length > 0 and all(.[]; .data["ca.crt"] == $text)' >/dev/null
}

# A seed has the authorities of a rotation, and not how far it is. Where a master still has certificates of a former one, this one begins with
# the same, and has its stages later. Masters that do not respond do not matter: without a majority none joins.
choose() {
  local name address heard file answers=0
  if [ ! -s "$former" ] || [ -e "$pki/apiserver.crt" ]; then return 0; fi
  split "$former" "$work/known"
  for name in $MASTER_NAMES; do
    if [ "$name" = "$NODE_NAME" ]; then continue; fi
    address=$(awk -v name="$name" '$1 == name { print $2 }' "$planned_nodes")
    heard=$(issuer_at "$address:$API_PORT" || true)
    if [ -n "$heard" ]; then answers=$((answers + 1)); fi
    for file in "$work/known"/*.crt; do
      if [ "$(name_of "$file")" != "$heard" ]; then continue; fi
      echo "this master joins with certificates of $heard"
      place "${file%.crt}.key" "$pki/ca.key"
      place "$file" "$ca"
      return 0
    done
  done
  if ((answers > 0)); then rm -f "$former"; fi
}

main "$@"
