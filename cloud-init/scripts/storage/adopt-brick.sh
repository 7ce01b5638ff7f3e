#!/bin/bash
# Run by groundplane-brick.service at every start of a storage machine. A data disk that already has its part of the
# volume is served as it is, and Gluster heals what it missed. An empty one, of a machine that took the place of a lost
# one, is handed to the volume as a brick with everything still to be copied.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env

info=/var/lib/glusterd/vols/$VOLUME_NAME/info

# The id of the volume that the folder is a brick of; empty when of none.
brick_of() {
  getfattr --only-values --absolute-names -n trusted.glusterfs.volume-id "$BRICK_FOLDER" 2>/dev/null |
    od -An -v -tx1 | tr -d ' \n'
}

# The volume is made by form-storage-pool, or comes from the first peer that this machine meets.
until grep -qs '^status=1$' "$info"; do sleep 1; done
volume=$(sed -n 's/^volume-id=//p' "$info" | tr -d -)
present=$(brick_of || true)

if [ "$present" = "$volume" ]; then exit 0; fi
if [ -n "$present" ]; then
  echo "$BRICK_FOLDER is a brick of another volume: move it away, and this machine takes part with an empty one" >&2
  exit 1
fi
echo "$BRICK_FOLDER is empty: it is filled from the other copies"
mkdir -p "$BRICK_FOLDER"
gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" start
if gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" "$BRICK" commit force; then exit 0; fi
# Gluster heard of the volume before the folder was there: it looks again when it starts.
systemctl restart --no-block glusterd
exit 1
