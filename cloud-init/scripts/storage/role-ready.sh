#!/bin/bash
# The storage part of node-ready: every planned data disk is mounted and writable, and Gluster runs. Once the
# volume exists, this machine's brick serves it.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

missing() {
  echo "$1"
  exit 1
}

for mount_point in ${MOUNT_POINTS:-}; do
  if [ ! -d "$mount_point" ] || [ ! -w "$mount_point" ]; then missing "$mount_point cannot be written to"; fi
done
systemctl is-active --quiet glusterd || missing "Gluster does not run"
if ! grep -qs '^status=1$' "/var/lib/glusterd/vols/$VOLUME_NAME/info"; then exit 0; fi
[ ! -e "$BRICK_FOLDER.to-be-filled" ] || missing "the brick $BRICK has not been handed to the volume yet"
# Gluster's name for the file: the brick with dashes for slashes.
name=${BRICK//\//-}
pid=$(cat "/run/gluster/vols/$VOLUME_NAME/${name/:/}.pid" 2>/dev/null) || missing "the brick $BRICK has not started"
kill -0 "$pid" 2>/dev/null || missing "the brick $BRICK has ended"
