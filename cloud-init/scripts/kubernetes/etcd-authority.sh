#!/bin/bash
# etcd-authority trust|reissue|drop AUTHORITY: one stage of a rotation of etcd's certificate authority on this member of etcd. AUTHORITY is
# base64 of the PEM text of the new one. See authority-stages; in `trust` and `drop`, etcd and the API server restart.
# etcd-authority choose: before this machine joins, an authority of its seed that all members accept becomes the one that it issues with.
#
# May be killed anywhere and run again. Exit code 1 = not yet: another member is not healthy, or this one is not healthy again.
#
# etcd and the API server read the authorities when they start, and their own certificates for each connection.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"
# shellcheck source-path=SCRIPTDIR source=etcd-command.sh
. "$here/etcd-command"

authority=etcd/ca
family=etcd-ca
# shellcheck source-path=SCRIPTDIR source=authority-stages.sh
. "$here/authority-stages"

manifests=${MANIFESTS:-/etc/kubernetes/manifests}
prepared=${PREPARED:-/run/groundplane-control-plane}
# Lines of name and address.
members=${ETCD_MEMBERS_FILE:-/etc/groundplane/etcd-members}
port=${ETCD_PORT:-2379}
# Pairs of certificate and key, newest first.
former=$pki/etcd/former-authorities.pem
note=groundplane/etcd-authorities

main() {
  stage=${1:?usage: etcd-authority trust|reissue|drop AUTHORITY, or etcd-authority choose}
  open_stage
  if [ "$stage" = choose ]; then
    choose
    return
  fi
  read_authority "${2:?the authority is missing}"
  read_phase
  [ "$phase" = member ] || not_yet "not a member of etcd"
  case $stage in trust | reissue | drop) "$stage" ;; *) not_yet "unknown stage: $stage" ;; esac
  await_health
}

# etcd, and the API server where there is one: they start together, because the kubelet uses the API server of its own machine.
parts() {
  local name
  for name in etcd kube-apiserver; do
    if [ -e "$manifests/$name.yaml" ]; then echo "$name"; fi
  done
}

is_healthy() {
  case $1 in
    etcd) curl -sf --max-time 2 -o /dev/null http://127.0.0.1:2381/health ;;
    *) curl -skf --max-time 2 -o /dev/null "https://$NODE_ADDRESS:$API_PORT/readyz" ;;
  esac
}

digest() { fingerprints "$ca" | sort | sha256sum | cut -c 1-32; }

# The process of a part: its number and its start, in ticks since the boot. Empty without one.
process_of() {
  local process
  process=$(pgrep --oldest --full "^$1 ") || return 0
  echo "$process $(sed 's/.*) //' "/proc/$process/stat" 2>/dev/null | cut -d ' ' -f 20)"
}

etcd_follows() { [ "$(accepted_at "127.0.0.1:$port")" = "$(names_in "$ca")" ]; }

# Whether the process of a part has read ca.crt as it is now.
follows() {
  local process
  if is_service; then
    follows_as_service "$1"
  elif grep -qF "$note: \"$(digest)\"" "$manifests/$1.yaml"; then
    process=$(process_of "$1")
    [ -n "$process" ] && [ "$process" != "$(cat "$state_folder/former-$1" 2>/dev/null)" ]
  else
    # This machine has joined with this file. The API server gets its note first.
    ! grep -qF "$note:" "$manifests/$1.yaml" && etcd_follows
  fi
}

# As follow-manifests sees it.
follows_as_service() {
  local file
  cmp --silent "$manifests/$1.yaml" "$prepared/$1.yaml" || return 1
  while IFS= read -r file; do
    if [ "$file" -nt "$prepared/$1.started" ]; then return 1; fi
  done <"$prepared/$1.files"
  systemctl is-active --quiet "$1"
}

# A static pod starts again when its manifest changes. A service follows its files by itself.
restart() {
  local text
  if is_service || follows "$1"; then return 0; fi
  text="    $note: \"$(digest)\""
  if grep -qxF "$text" "$manifests/$1.yaml"; then return 0; fi
  # Not in the folder of the manifests: the kubelet must never read a partial one.
  sed -e "\\|^    $note:|d" -e "s|^  annotations:\$|&\n$text|" "$manifests/$1.yaml" >"$work/$1.yaml"
  grep -qxF "$text" "$work/$1.yaml" || not_yet "the manifest of $1 has no annotations"
  process_of "$1" >"$state_folder/former-$1.new"
  mv "$state_folder/former-$1.new" "$state_folder/former-$1"
  place "$work/$1.yaml" "$manifests/$1.yaml"
}

has_followed() {
  follows "$1" && is_healthy "$1" || return 1
  [ "$1" != etcd ] || etcd_follows
}

follow() {
  local name
  for name in $(parts | tac); do restart "$name"; done
  for name in $(parts); do await "$name does not work with the authorities of $ca" has_followed "$name"; done
}

# Without this member, the others must have their majority. A member that is down itself has nothing to lose.
require_others() {
  local others list name
  mapfile -t others < <(awk -v own="$NODE_NAME" '$1 != own { print $1 }' "$members")
  if ! is_healthy etcd; then return 0; fi
  list=$(etcd "$local_etcd" --command-timeout=5s member list --write-out=simple) || not_yet "etcd cannot decide anything now"
  while IFS=, read -r _ _ name _; do
    name=${name# }
    if [ -n "$name" ] && ! grep -q "^$name " "$members"; then
      echo "$name is a member of etcd that the plan does not have: it would get no certificate of the new authority. Change the number of" \
        "masters in another \`up\` than the key" >&2
      exit "$refused"
    fi
  done <<<"$list"
  if [ "${#others[@]}" -eq 0 ]; then return 0; fi
  "$here/etcd-complete" "${others[@]}" >&2 || exit 1
}

await_health() {
  local all reason="" end=$((SECONDS + patience))
  mapfile -t all < <(cut -d ' ' -f 1 "$members")
  until reason=$("$here/node-ready" 2>&1) && reason=$("$here/etcd-complete" "${all[@]}" 2>&1); do
    if ((SECONDS >= end)); then not_yet "$reason"; fi
    sleep 0.5
  done
}

trust() {
  if ! has_certificate "$ca" "$new"; then
    require_others
    add_authority
  fi
  follow
}

leaves() {
  printf 'etcd/%s\n' server peer healthcheck-client
  if [ -e "$pki/apiserver-etcd-client.crt" ]; then echo apiserver-etcd-client; fi
}

presents_new() { [ "$(issuer_at "$1")" = "$(name_of "$new")" ]; }

reissue() {
  local each server
  mapfile -t each < <(leaves)
  if ! is_reissued "${each[@]}"; then
    issue "${each[@]}"
    if is_service; then require_others; fi
    place_issued "${each[@]}"
  fi
  if is_service; then follow; fi
  for server in "$NODE_ADDRESS:$port" "$NODE_ADDRESS:2380"; do
    await "etcd does not present its new certificate" presents_new "$server"
  done
}

drop() {
  local each
  mapfile -t each < <(leaves)
  is_reissued "${each[@]}" || not_yet "this machine has certificates of a former authority"
  if ! is_only_new; then
    require_others
    keep_new_authority
  fi
  follow
  rm -f "$former"
}

# A seed has the authorities of a rotation, and not how far it is. Members that do not answer do not matter: without a majority no machine joins.
choose() {
  local address answer file heard chosen="" answers=() known
  if [ ! -s "$former" ] || [ -e "$pki/etcd/server.crt" ]; then return 0; fi
  while read -r _ address; do
    if [ "$address" = "$NODE_ADDRESS" ]; then continue; fi
    answer=$(accepted_at "$address:$port" || true)
    if [ -n "$answer" ]; then answers+=("$answer"); fi
  done <"$members"
  if [ "${#answers[@]}" -eq 0 ]; then return 0; fi
  heard=$(printf '%s\n' "${answers[@]}" | sort -u)
  split "$ca" "$work/present"
  # All pairs, and then what is only trusted.
  { cat "$work/present/1.crt" "$pki/etcd/ca.key" "$former" && tail -n +1 -q "$work/present"/*.crt; } >"$work/known.pem"
  split "$work/known.pem" "$work/known"
  mapfile -t known < <(printf '%s\n' "$work/known"/*.crt | sort --version-sort)
  for file in "${known[@]}"; do
    if [ -z "$chosen" ] && is_pair "$file" "${file%.crt}.key" && accept_all "$(name_of "$file")"; then chosen=$file; fi
  done
  if [ -z "$chosen" ]; then return 0; fi
  echo "this machine joins with certificates of $(name_of "$chosen")"
  cp "$chosen" "$work/ca.crt"
  for file in "${known[@]}"; do
    # The present one is trusted sooner or later.
    if [ "$file" != "${known[0]}" ] && ! grep -qxF "$(name_of "$file")" <<<"$heard"; then continue; fi
    if ! has_certificate "$work/ca.crt" "$file"; then cat "$file" >>"$work/ca.crt"; fi
  done
  # No key is lost, should this be killed.
  if is_pair "${known[0]}" "${known[0]%.crt}.key"; then
    cat "${known[0]}" "${known[0]%.crt}.key" "$former" >"$work/former.pem"
    place "$work/former.pem" "$former"
  fi
  place "${chosen%.crt}.key" "$pki/etcd/ca.key"
  place "$work/ca.crt" "$ca"
}

accept_all() {
  local answer
  for answer in "${answers[@]}"; do grep -qxF "$1" <<<"$answer" || return 1; done
}

main "$@"
