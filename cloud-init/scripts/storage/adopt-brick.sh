#!/bin/bash
# Run by groundplane-brick.service at every start of a storage machine. A data disk with a copy of the volume is
# served unchanged, and Gluster heals what it missed. An empty data disk, of a machine that replaces a lost one, is added to
# the volume as a brick that needs a full heal. Until then a marker file next to it prevents serving: an empty brick would count
# as a volume without files.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env

info=/var/lib/glusterd/vols/$VOLUME_NAME/info
mark=$BRICK_FOLDER.to-be-filled
attribute=trusted.glusterfs.volume-id

# The id of the volume that the folder is a brick of; empty if none.
brick_of() {
  getfattr --only-values --absolute-names -n $attribute "$BRICK_FOLDER" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# Gluster starts no brick without it. An interrupted run may have set it already.
make_unservable() { setfattr -x $attribute "$BRICK_FOLDER" 2>/dev/null || true; }

hand_over() {
  gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" start &&
    gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" "$BRICK" commit force
}

# form-storage-pool creates the volume, or the first peer that this machine contacts sends it.
until grep -qs '^status=1$' "$info"; do sleep 1; done
volume=$(sed -n 's/^volume-id=//p' "$info" | tr -d -)
present=$(brick_of || true)

if [ ! -e "$mark" ]; then
  if [ "$present" = "$volume" ]; then exit 0; fi
  if [ -n "$present" ]; then
    echo "$BRICK_FOLDER is a brick of another volume: move it away, and this machine takes part with an empty one" >&2
    exit 1
  fi
fi
echo "$BRICK_FOLDER is empty: it is filled from the other copies"
touch "$mark"
sync "$mark"
mkdir -p "$BRICK_FOLDER"
make_unservable
# It looks up a brick's location when it starts, not when it learns about a volume.
systemctl restart glusterd
until hand_over; do
  make_unservable
  sleep 1
done
rm "$mark"
