#!/bin/bash
# cluster-wait SECONDS: prints every step as it happens. Exit 0: member; 1: failed, the reason printed; 2: timed out.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

seconds=${1:?usage: cluster-wait SECONDS}
printed=0
print_new_steps() {
  local lines=()
  if [ -r "$state_folder/steps" ]; then mapfile -t lines <"$state_folder/steps"; fi
  # A new order begins a new list.
  if [ "${#lines[@]}" -lt "$printed" ]; then printed=0; fi
  for line in "${lines[@]:printed}"; do printf '%s\n' "$line"; done
  printed=${#lines[@]}
}

while :; do
  read_phase
  print_new_steps
  case $phase in
    member) exit 0 ;;
    failed)
      echo "$error"
      exit 1
      ;;
  esac
  if [ "$SECONDS" -ge "$seconds" ]; then
    echo "not a member after $seconds s; last step: ${step:-none}"
    exit 2
  fi
  sleep 0.25
done
