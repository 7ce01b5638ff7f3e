#!/bin/bash
# What the rotations of certificate authorities have in common; sourced by the command of each. A stage may be killed anywhere and run again.
#   trust        certificates of the new authority are accepted, too
#   reissue <KEY this machine has certificates of it, and issues others with its key
#   drop         its certificates are accepted only
# The first certificate of the authority's file belongs to its key: kubeadm issues with it, and reads no others.

# Of the caller: the file of the authority below the folder of certificates, without its ending, and the name of the first one, which
# the names of later ones begin with.
: "${authority:?}" "${family:?}" "${state_folder:?}"
pki=${PKI:-/etc/kubernetes/pki}
configuration=${KUBEADM_CONTROL_PLANE:-/etc/groundplane/kubeadm/control-plane.yaml}
patience=${PATIENCE:-180}
ca=$pki/$authority.crt

# open_stage: a folder for what is not in its place yet. Of a killed `up`, a command may still be at work.
open_stage() {
  umask 077
  # The timer that renews certificates waits, too.
  exec 9>>"$state_folder/certificates.lock"
  flock 9
  # On the file system of the certificates, for atomic renames. A killed command may have left one.
  rm -rf "$pki"/groundplane.*
  work=$(mktemp -d "$pki/groundplane.XXXXXX")
  trap 'rm -rf "$work"' EXIT
}

# read_authority AUTHORITY: sets $new, a file with the new one, from base64 of its PEM text.
read_authority() {
  new=$work/new.crt
  base64 -d <<<"$1" >"$new"
}

not_yet() {
  echo "$1" >&2
  exit 1
}

# await MESSAGE CONDITION…: until the condition holds.
await() {
  local message=$1 end=$((SECONDS + patience))
  shift
  until "$@"; do
    if ((SECONDS >= end)); then not_yet "$message"; fi
    sleep 0.5
  done
}

# split FILE FOLDER: each of its certificates as FOLDER/1.crt, FOLDER/2.crt …, and each key after one as FOLDER/1.key …
split() {
  mkdir -p "$2"
  awk -v folder="$2" '
    /^-----BEGIN CERTIFICATE-----$/ { n++; file = folder "/" n ".crt" }
    /^-----BEGIN .*PRIVATE KEY-----$/ { file = folder "/" n ".key" }
    file != "" { print > file }
    /^-----END / { close(file); file = "" }' "$1"
}

fingerprint() { openssl x509 -noout -fingerprint -sha256 -in "$1"; }
fingerprints() {
  local file
  rm -rf "$work/counted"
  split "$1" "$work/counted"
  for file in "$work/counted"/*.crt; do
    if [ -e "$file" ]; then fingerprint "$file"; fi
  done
}
# has_certificate FILE CERTIFICATE
has_certificate() { grep -qxF "$(fingerprint "$2")" <<<"$(fingerprints "$1")"; }

# Reads certificates or what openssl says about them.
names() { grep -oE "$family(-[0-9a-f]+)?" | sort -u || true; }
name_of() { openssl x509 -noout -subject -in "$1" | names; }
names_in() { openssl crl2pkcs7 -nocrl -certfile "$1" | openssl pkcs7 -print_certs -noout | grep '^subject' | names; }

# The names of the authorities that the server at ADDRESS:PORT accepts: it tells them to everyone who connects.
accepted_at() {
  timeout 5 openssl s_client -connect "$1" </dev/null 2>/dev/null |
    sed -n '/^Acceptable client certificate CA names/,/^\(Requested\|Shared\|Client Certificate\|Peer\|---\)/p' | names
}
issuer_at() { timeout 5 openssl s_client -connect "$1" </dev/null 2>/dev/null | openssl x509 -noout -issuer 2>/dev/null | names; }

place() {
  chmod 0600 "$1"
  mv "$1" "$2"
}

# is_pair CERTIFICATE KEY
is_pair() { [ "$(openssl x509 -noout -pubkey -in "$1")" = "$(openssl pkey -in "$2" -pubout 2>/dev/null)" ]; }

add_authority() {
  cat "$ca" "$new" >"$work/ca.crt"
  place "$work/ca.crt" "$ca"
}

keep_new_authority() {
  cp "$new" "$work/ca.crt"
  place "$work/ca.crt" "$ca"
}

cluster() { kubectl --server "https://$NODE_ADDRESS:$API_PORT" --request-timeout 10s "$@"; }

is_ready() { curl -skf --max-time 2 -o /dev/null "https://$NODE_ADDRESS:$API_PORT/readyz"; }

refused=3

# A master that leaves in the same `up` would go on to use the former authority.
refuse_other_masters() {
  local all name
  all=$(cluster get nodes --selector node-role.kubernetes.io/control-plane --output jsonpath='{.items[*].metadata.name}')
  for name in $all; do
    if [[ " $MASTER_NAMES " != *" $name "* ]]; then
      echo "$name is a master that the plan does not have: add it again, and remove it when the rotation is complete" >&2
      exit "$refused"
    fi
  done
}

configmap=extension-apiserver-authentication

# read_published FIELD
read_published() {
  cluster get configmap --namespace kube-system "$configmap" --output "jsonpath={.data.$1}" >"$work/published.crt" 2>/dev/null
}

# is_withdrawn FIELD FILE: servers of API extensions find the authorities of the file only. API servers add those that they accept, and remove
# nothing. None of them accepts the former one any more, so what is removed stays away.
is_withdrawn() {
  read_published "$1" || return 1
  if [ "$(fingerprints "$work/published.crt" | sort)" = "$(fingerprints "$2" | sort)" ]; then return 0; fi
  jq -n --rawfile text "$2" --arg field "$1" '{ data: { ($field): $text } }' >"$work/patch.json"
  cluster patch configmap --namespace kube-system "$configmap" --type merge --patch-file "$work/patch.json" >/dev/null || return 1
  # As long as an API server takes to add its own.
  sleep 2
  return 1
}

is_service() { [ -n "${CONTROL_PLANE_SERVICES:-}" ]; }

is_only_new() { [ "$(fingerprints "$ca")" = "$(fingerprint "$new")" ]; }

# is_reissued LEAF…: this machine issues with the new authority, and has these certificates of it.
is_reissued() {
  local leaf
  [ "$(fingerprints "$ca" | head -n 1)" = "$(fingerprint "$new")" ] || return 1
  is_pair "$new" "$pki/$authority.key" || return 1
  for leaf in "$@"; do openssl verify -CAfile "$new" "$pki/$leaf.crt" >/dev/null 2>&1 || return 1; done
}

# issue LEAF… <KEY: certificates of the new authority in $work, with new keys. place_issued puts them into their place.
issue() {
  local leaf file
  mkdir -p "$(dirname "$work/$authority")"
  cat >"$work/$authority.key"
  is_pair "$new" "$work/$authority.key" || not_yet "stdin has not the authority's key"
  split "$ca" "$work/present"
  cat "$new" >"$work/$authority.crt"
  for file in "$work/present"/*.crt; do
    [ "$(fingerprint "$file")" = "$(fingerprint "$new")" ] || cat "$file" >>"$work/$authority.crt"
  done
  sed "s|^kind: *\"\{0,1\}ClusterConfiguration\"\{0,1\}\$|&\ncertificatesDir: \"$work\"|" "$configuration" >"$work/kubeadm.yaml"
  for leaf in "$@"; do
    cp "$pki/$leaf.crt" "$work/$leaf.crt"
    cp "$pki/$leaf.key" "$work/$leaf.key"
    kubeadm certs renew "${leaf/\//-}" --config "$work/kubeadm.yaml" >"$work/log" 2>&1 || not_yet "$(tail -n 1 "$work/log")"
    openssl verify -CAfile "$new" "$work/$leaf.crt" >/dev/null || not_yet "$leaf.crt is not of the new authority"
  done
}

place_issued() {
  local leaf
  for leaf in "$@"; do
    place "$work/$leaf.key" "$pki/$leaf.key"
    place "$work/$leaf.crt" "$pki/$leaf.crt"
  done
  place "$work/$authority.key" "$pki/$authority.key"
  place "$work/$authority.crt" "$ca"
}
