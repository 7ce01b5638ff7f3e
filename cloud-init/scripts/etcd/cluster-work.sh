#!/bin/bash
# Does what the order says until this machine is a voting member of etcd; run by groundplane-cluster.service. May be killed
# anywhere and run again: kubeadm's phases reuse existing certificates, and nothing here ever removes etcd's data.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"
# shellcheck source-path=SCRIPTDIR source=../kubernetes/etcd-command.sh
. "$here/etcd-command"

log_folder=/var/log/groundplane
kubeadm_log=$log_folder/kubeadm.log
etcd_patch=$KUBEADM_PATCHES/etcd0+json.json
# shellcheck source-path=SCRIPTDIR source=../kubernetes/etcd-membership.sh
. "$here/etcd-membership"
attempts=3

main() {
  read_phase
  read_order
  if [ "$phase" = member ] || [ "$order" = none ]; then exit 0; fi
  (umask 077 && mkdir -p "$log_folder")
  mkdir -p "$KUBEADM_PATCHES"
  case $order in
    first | other) work bootstrapping bootstrap_member ;;
    join) work joining join_etcd ;;
    *) fail "unknown order: $order" ;;
  esac
  rm -f "$etcd_patch"
  set_phase member "member of etcd"
}

# work PHASE FUNCTION
work() {
  set_phase "$1" "waiting for @runtime@"
  until @answers@; do sleep 0.1; done
  local attempt status
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    # Never as a condition: there the shell goes on after a failed step.
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

last_error() { tail -n 1 "$kubeadm_log" 2>/dev/null || true; }

bootstrap_member() {
  make_certificates "$1"
  write_patch "$initial_cluster" new
  start_etcd "$1"
  await "$1" "waiting for the other members of etcd" is_healthy
}

main "$@"
