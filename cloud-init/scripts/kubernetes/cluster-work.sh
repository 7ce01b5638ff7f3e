#!/bin/bash
# Does what the order says until this node is a member; run by groundplane-cluster.service. May be killed anywhere and
# run again: kubeadm's phases reuse existing results, and nothing here ever removes etcd's data.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

log_folder=/var/log/groundplane
kubeadm_log=$log_folder/kubeadm.log
etcd_patch=$KUBEADM_PATCHES/etcd0+json.json
# With the token of this join; gone when the node is a member.
join_configuration=/run/groundplane-join.yaml
attempts=3

main() {
  read_phase
  read_order
  if [ "$phase" = member ] || [ "$order" = none ]; then exit 0; fi
  (umask 077 && mkdir -p "$log_folder")
  case $order in
    first | other) work bootstrapping bootstrap_cluster ;;
    join) work joining join_cluster ;;
    *) fail "unknown order: $order" ;;
  esac
  rm -f "$etcd_patch" "$join_token" "$join_configuration" /run/groundplane-kubeadm.yaml
  set_phase member "member of the cluster"
  if [ "$NODE_ROLE" = master ]; then
    systemctl start --no-block groundplane-approve-serving-certificates.service
  fi
}

# work PHASE FUNCTION
work() {
  set_phase "$1" "waiting for @runtime@"
  until @answers@; do sleep 0.1; done
  local attempt status
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    # Never as a condition: there the shell goes on after a failed step, e.g. initializes a cluster of its own when the
    # patch with the initial members could not be written.
    set +e
    (
      set -e
      "$2" "$1"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then return 0; fi
    if [ "$attempt" -lt "$attempts" ]; then set_phase "$1" "attempt $attempt failed, trying again" "$(last_error)"; fi
    sleep 1
  done
  fail "$(last_error)"
}

fail() {
  set_phase failed "given up" "$1"
  exit 1
}

bootstrap_cluster() {
  # The provider applies the objects of these phases as soon as the API responds, and makes a token for each join. A master
  # that begins with the data of etcd has them already, and kubeadm would replace them by its own.
  local skip=bootstrap-token,addon,show-join-command,upload-config,upload-certs configuration
  write_etcd_patch
  # The token must not be printed: kubeadm's output goes to a log.
  configuration=$("$here/patient-configuration" "$KUBEADM_INIT_CONFIGURATION")
  serve_chain "$1"
  kubeadm_step "$1" init --config "$configuration" --skip-token-print --skip-phases="$skip"
  if [ "$order" = other ]; then
    # Not bound by any role binding: its holder bypasses the cluster's rules. One master keeps it.
    rm -f /etc/kubernetes/super-admin.conf
  fi
}

# The initial members of etcd. kubeadm appends it to the flags, where the last one wins; etcd ignores it once it has data. It
# is not in kubeadm's configuration, where later joins would use it.
write_etcd_patch() {
  mkdir -p "$KUBEADM_PATCHES"
  printf '[{"op":"add","path":"/spec/containers/0/command/-","value":"--initial-cluster=%s"}]\n' \
    "$initial_cluster" >"$etcd_patch"
}

join_cluster() {
  local configuration skip=""
  choose_authorities "$1"
  serve_chain "$1"
  # A patch that is left from an unfinished bootstrap must not reach a join.
  rm -f "$etcd_patch"
  # kubeadm finds the members of etcd by their static pods. Services have none, so this master joins etcd by itself.
  if [ -n "${ETCD_MEMBERS:-}" ]; then
    # shellcheck source-path=SCRIPTDIR source=etcd-command.sh
    . "$here/etcd-command"
    # shellcheck source-path=SCRIPTDIR source=etcd-membership.sh
    . "$here/etcd-membership"
    join_etcd "$1"
    skip=check-etcd,etcd-join
  fi
  if [ -e /var/lib/kubelet/pki/kubelet-client-current.pem ]; then
    finish_join "$1" "$skip"
  else
    # The kubelet writes it before it has its certificate, and kubeadm would treat it as a finished registration.
    rm -f /etc/kubernetes/kubelet.conf
    wait_for_signature "$1"
    configuration=$("$here/patient-configuration" "$join_configuration")
    kubeadm_step "$1" join --config "$configuration" --skip-phases="$skip"
  fi
}

# Where the cluster's authority is given. kubeadm keeps the certificate of the API server that is there already.
serve_chain() {
  if [ ! -x "$here/serve-chain" ]; then return 0; fi
  set_phase "$1" "issuing the certificate of the API server with the issuers of its authority"
  "$here/serve-chain" >"$kubeadm_log" 2>&1
}

# Where rotations of authorities may not have ended yet.
choose_authorities() {
  local each
  for each in etcd-authority kubernetes-authority; do
    if [ ! -x "$here/$each" ]; then continue; fi
    set_phase "$1" "asking the other masters for the authorities that they use"
    "$here/$each" choose >"$kubeadm_log" 2>&1
  done
}

# The kubelet has its identity, so its Node may exist, and kubeadm would refuse to register it a second time. Where the
# Node has been removed meanwhile, a restarted kubelet creates it again.
# finish_join PHASE SKIPPED_PHASES
finish_join() {
  local configuration
  systemctl restart kubelet
  if [ "$NODE_ROLE" = master ]; then
    wait_for_signature "$1"
    configuration=$("$here/patient-configuration" "$join_configuration")
    kubeadm_step "$1" join --config "$configuration" --skip-phases="kubelet-start${2:+,$2}"
  else
    set_phase "$1" "waiting for the kubelet"
    local try
    for ((try = 0; try < 240; try++)); do
      if curl -sf --max-time 1 -o /dev/null http://127.0.0.1:10248/healthz; then return 0; fi
      sleep 0.5
    done
    echo "error: the kubelet is not healthy" >"$kubeadm_log"
    return 1
  fi
}

# Until cluster-info is signed with our token, which a repeated order may replace meanwhile. kubeadm waits for the signature,
# too, but looks only every five seconds. Not verifying the certificate is harmless: nothing of the answer is used, and kubeadm
# checks the CA's hash afterwards.
wait_for_signature() {
  set_phase "$1" "waiting until the cluster's API knows the join token"
  until is_token_known; do sleep 0.5; done
  (umask 077 && awk '
    NR == FNR { token = $0; next }
    $1 == "token:" { sub(/token:.*/, "token: \"" token "\"") }
    { print }' "$join_token" "$KUBEADM_JOIN_CONFIGURATION" >"$join_configuration")
}

is_token_known() {
  local id
  id=$(cut -d . -f 1 "$join_token" 2>/dev/null) && [ -n "$id" ] &&
    curl -skf --max-time 2 "https://$API_ADDRESS:$API_PORT/api/v1/namespaces/kube-public/configmaps/cluster-info" |
    grep -q "jws-kubeconfig-$id"
}

# kubeadm_step PHASE ARGUMENTS…: kubeadm with its own phases as steps. The results of an earlier attempt are reused;
# on a fresh node these checks could only find what does not exist.
kubeadm_step() {
  local phase=$1 line title
  shift
  set_phase "$phase" "kubeadm $1"
  kubeadm "$@" --ignore-preflight-errors="$leftovers" 2>&1 | {
    title=""
    while IFS= read -r line; do
      printf '%s\n' "$line"
      if [[ "$line" =~ ^\[([a-z-]+)\] ]] && [ "${BASH_REMATCH[1]}" != "$title" ]; then
        title=${BASH_REMATCH[1]}
        set_phase "$phase" "kubeadm: $title"
      fi
    done
  } >"$kubeadm_log"
}

leftovers=DirAvailable--var-lib-etcd,Port-$API_PORT,Port-10250,Port-10257,Port-10259,Port-2379,Port-2380
leftovers+=,FileAvailable--etc-kubernetes-bootstrap-kubelet.conf,FileAvailable--etc-kubernetes-kubelet.conf
leftovers+=,FileAvailable--etc-kubernetes-pki-ca.crt
for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do
  leftovers+=,FileAvailable--etc-kubernetes-manifests-$pod.yaml
done

# kubeadm's reason: its lines with `error`, or else its last one.
last_error() {
  { grep -iE '^[[:space:]]*(\[?error)' "$kubeadm_log" || tail -n 1 "$kubeadm_log"; } 2>/dev/null | head -n 4 || true
}

main "$@"
