#!/bin/bash
# form-storage-pool SECONDS: creates the planned volume if it does not exist, sets its planned options, and waits until every
# brick serves it. Run it on any storage machine. It checks what exists before it acts, so it may be killed at any point and
# run again. It prints the current problem to stderr, one line per change.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env

deadline=$((SECONDS + ${1:?usage: form-storage-pool SECONDS}))
read -ra bricks <<<"$VOLUME_BRICKS"
read -ra type <<<"$VOLUME_TYPE"
said=""

gluster() { command gluster --mode=script "$@"; }

# wait_for FUNCTION: waits until it succeeds; its output is the current problem.
wait_for() {
  local missing
  until missing=$("$1" 2>&1); do
    missing=${missing%%$'\n'*}
    if [ "$missing" != "$said" ]; then echo "$missing" >&2; fi
    said=$missing
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "given up: $missing" >&2
      exit 1
    fi
    sleep 0.5
  done
}

# Exit 0 when the volume exists. It is created only when every peer is connected: a peer with the volume would have announced
# it by then, and it refuses to create another.
volume_is_there() {
  if volume_info >/dev/null; then return 0; fi
  local connected
  connected=$(gluster pool list | grep -c '[[:space:]]Connected[[:space:]]*$') || true
  if [ "$connected" -lt "${#bricks[@]}" ]; then
    echo "$connected of ${#bricks[@]} storage machines are connected"
    return 1
  fi
  # `force` reuses the data of earlier machines on these disks. It also silences the warning of a brick on the system
  # disk; Gluster does not start where its data disk is not mounted.
  gluster volume create "$VOLUME_NAME" "${type[@]}" "${bricks[@]}" force
}

volume_info() { gluster volume info "$VOLUME_NAME" 2>&1; }

check_bricks() {
  local present
  present=$(volume_info | sed -n 's/^Brick[0-9]*: \([^ ]*\).*/\1/p' | tr '\n' ' ')
  if [ "${present% }" = "$VOLUME_BRICKS" ]; then return 0; fi
  echo "the volume has the bricks ${present% }and the plan wants $VOLUME_BRICKS: a volume is not moved" >&2
  exit 3
}

# Sets all differing options at once: each change makes every client reload the volume's definition.
set_options() {
  local option changes=() present
  present=$(volume_info)
  for option in $VOLUME_OPTIONS; do
    if ! grep -qxF "${option%%=*}: ${option#*=}" <<<"$present"; then changes+=("${option%%=*}" "${option#*=}"); fi
  done
  if [ "${#changes[@]}" -gt 0 ]; then gluster volume set "$VOLUME_NAME" "${changes[@]}"; fi
}

volume_runs() {
  if volume_info | grep -qx 'Status: Started'; then return 0; fi
  gluster volume start "$VOLUME_NAME"
}

every_brick_serves() {
  local brick status
  status=$(gluster volume status "$VOLUME_NAME" --xml | tr -d '\n') || {
    echo "Gluster does not tell the volume's status"
    return 1
  }
  for brick in "${bricks[@]}"; do
    # A machine that is down is not listed.
    if ! grep -q "<hostname>${brick%%:*}</hostname> *<path>${brick#*:}</path> *<peerid>[^<]*</peerid> *<status>1<" <<<"$status"; then
      echo "the brick $brick does not serve"
      return 1
    fi
  done
}

wait_for volume_is_there
check_bricks
wait_for set_options
wait_for volume_runs
wait_for every_brick_serves
