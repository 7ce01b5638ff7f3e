#!/bin/bash
# follow-keys STAGE MASTER…: a stage of the rotation of keys on this master, whose new keys are in NEW_KEYS. `accept`: the API server also
# reads Secrets and accepts tokens of the new keys. `use`: it encrypts and signs with them. `only`: it no longer knows the former ones. Does
# nothing where that is so already; may be killed anywhere and run again. Exit code 1 = not yet. The masters are those of the plan.
# Fine on a master that is no member yet: it begins with the new keys.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

stage=${1:?usage: follow-keys accept|use|only MASTER…}
shift
keys=${NEW_KEYS:-/var/lib/groundplane/new-keys}
encryption=${ENCRYPTION_CONFIGURATION:-/etc/kubernetes/api-server/encryption-configuration.yaml}
pki=${PKI:-/etc/kubernetes/pki}
patches=${PATCHES:-/etc/groundplane/kubeadm/patches}
manifests=${MANIFESTS:-/etc/kubernetes/manifests}
patience=180
stopping=5

# No key is an argument of a program: every process could read it.
secrets_in() { sed -n 's/^ *secret: //p' "$1"; }
first_secret() { local first; read -r first < <(secrets_in "$1") && printf '%s\n' "$first"; }
has_secret() {
  local each
  while read -r each; do if [ "$each" = "$2" ]; then return 0; fi; done < <(secrets_in "$1")
  return 1
}

# all_keys: the new file with all keys, of which the one that this API server writes with stays the first.
all_keys() {
  awk '
    FNR == NR { if (present == "" && $1 == "secret:") present = $2; next }
    $1 == "-" && $2 == "name:" { name = $0; next }
    $1 == "secret:" { count++; pair[count] = name "\n" $0; if ($2 == present) first = count; next }
    count && !written { write() }
    { print }
    function write(  i) {
      written = 1
      if (!first) exit 3
      print pair[first]
      for (i = 1; i <= count; i++) if (i != first) print pair[i]
    }' "$encryption" "$keys/encryption-all.yaml"
}

# A line of the key itself; the first one begins as those of all keys of its kind.
accepts_new() { grep -qxF -e "$(sed -n 2p "$keys/sa.pub")" "$pki/sa.pub"; }

# Writes the files of the stage that differ into $new, under their names.
prepare() {
  if [ -e "$keys/encryption-all.yaml" ]; then
    case $stage in
      accept)
        if ! has_secret "$encryption" "$(first_secret "$keys/encryption-only.yaml")"; then
          all_keys >"$new/encryption" || fail "the API server encrypts with a key that the state of the stack does not have"
        fi ;;
      use)
        if [ "$(first_secret "$encryption")" != "$(first_secret "$keys/encryption-only.yaml")" ]; then
          cp "$keys/encryption-all.yaml" "$new/encryption"
        fi ;;
      only) cmp --silent "$keys/encryption-only.yaml" "$encryption" || cp "$keys/encryption-only.yaml" "$new/encryption" ;;
    esac
  fi
  if [ -e "$keys/sa.pub" ]; then
    case $stage in
      accept) accepts_new || cat "$pki/sa.pub" "$keys/sa.pub" >"$new/sa.pub" ;;
      use) cmp --silent "$keys/sa.key" "$pki/sa.key" || cp "$keys/sa.key" "$new/sa.key" ;;
      only) cmp --silent "$keys/sa.pub" "$pki/sa.pub" || cp "$keys/sa.pub" "$new/sa.pub" ;;
    esac
  fi
}

fail() {
  echo "$1" >&2
  exit 2
}

# A master that leaves in the same `up` would go on to encrypt with the former key.
refuse_other_masters() {
  local name ready planned=" $* " all
  all=$(kubectl get nodes --selector node-role.kubernetes.io/control-plane --request-timeout 20s \
    --output jsonpath='{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')
  while read -r name ready; do
    if [ "$ready" = True ] && [[ "$planned" != *" $name "* ]]; then
      fail "$name is a master that the plan does not have: add it again, and remove it when the rotation is complete"
    fi
  done <<<"$all"
}

# place NAME TARGET
place() {
  if [ ! -e "$new/$1" ]; then return 0; fi
  cp "$new/$1" "$2.new"
  chmod 0600 "$2.new"
  mv "$2.new" "$2"
  touch "$2"
}

process_of() { local all; all=$(pgrep --oldest --full "^$1 ") && printf '%s\n' "${all%%$'\n'*}"; }

# has_read NAME FILE…: the component began after the last change of the files, which it reads at its start.
has_read() {
  local process uptime _ fields
  process=$(process_of "$1") || return 1
  fields=$(cat "/proc/$process/stat" 2>/dev/null) || return 1
  read -r uptime _ </proc/uptime
  read -r -a fields <<<"${fields##*) }"
  shift
  stat --format %.Y "$@" | awk -v now="$(date +%s.%N)" -v uptime="$uptime" -v ticks="${fields[19]}" \
    '$1 >= now - uptime + ticks / 100 { late = 1 } END { exit late }'
}

api_has_read() { has_read kube-apiserver "$encryption" "$pki/sa.pub" "$pki/sa.key"; }
manager_has_read() { has_read kube-controller-manager "$pki/sa.key"; }
is_healthy() { curl -skf --max-time 2 -o /dev/null "$1"; }

works() {
  api_has_read && manager_has_read && is_healthy "https://$NODE_ADDRESS:$API_PORT/readyz" &&
    is_healthy https://127.0.0.1:10257/healthz
}

# end_soon PROCESS TIME: an API server that ends waits for its open watches until the kubelet kills it after half a minute. It gets as many
# seconds as a service in its place. Before its manifest has the time of this change, it is not the change that makes it unhealthy.
end_soon() {
  while kill -0 "$1" 2>/dev/null; do
    if grep -qsF "$2" "$manifests/kube-apiserver.yaml" && ! is_healthy "https://$NODE_ADDRESS:$API_PORT/readyz"; then
      sleep "$stopping"
      kill -KILL "$1" 2>/dev/null || true
      return 0
    fi
    sleep 0.2
  done
}

# Another manifest makes another pod. Services restart by themselves when one of their files changes.
restart_pods() {
  local name former applying now changed=()
  if [ -n "${CONTROL_PLANE_SERVICES:-}" ]; then return 0; fi
  api_has_read || changed+=(kube-apiserver)
  manager_has_read || changed+=(kube-controller-manager)
  if [ "${#changed[@]}" -eq 0 ]; then return 0; fi
  now=$(date +%s%N)
  for name in "${changed[@]}"; do
    printf '{"metadata":{"annotations":{"groundplane.internal/keys":"%s"}}}\n' "$now" >"$patches/${name}4+merge.json"
  done
  former=$(process_of kube-apiserver) || former=
  "$here/apply-control-plane" 9>&- &
  applying=$!
  if [ -n "$former" ] && [ "${changed[0]}" = kube-apiserver ]; then
    end_soon "$former" "$now" 9>&- &
    ending=$!
  fi
  wait "$applying"
}

read_phase
if [ "$phase" != member ]; then exit 0; fi
umask 077
# Of a killed `up`, a command may still be at work.
exec 9>>"$state_folder/keys.lock"
flock 9
# That command may have removed them at its end. The next attempt brings them again.
if [ ! -e "$keys/encryption-all.yaml" ] && [ ! -e "$keys/sa.pub" ]; then
  echo "the new keys are not on this master" >&2
  exit 1
fi
new=$(mktemp -d)
ending=
leave() {
  rm -rf "$new"
  if [ -n "$ending" ]; then kill "$ending" 2>/dev/null || true; fi
}
trap leave EXIT
prepare
if [ -n "$(ls -A "$new")" ]; then refuse_other_masters "$@"; fi
# What an API server accepts comes before what it uses.
place sa.pub "$pki/sa.pub"
place encryption "$encryption"
place sa.key "$pki/sa.key"
restart_pods
end=$((SECONDS + patience))
until works; do
  if ((SECONDS >= end)); then
    echo "the control plane of this master does not work with its new keys" >&2
    exit 1
  fi
  sleep 0.2
done
if [ "$stage" = only ]; then rm -rf "$keys"; fi
