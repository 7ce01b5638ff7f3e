#!/bin/bash
# Run by groundplane-brick.service at every start of a storage machine. A data disk that already has its part of the
# volume is served as it is, and Gluster heals what it missed. An empty one, of a machine that took the place of a lost
# one, is handed to the volume as a brick with everything still to be copied. Until that has been done a mark lies beside
# it: served before, an empty brick would pass for a volume without files.
set -eu -o pipefail
# shellcheck source=/dev/null
. /etc/groundplane/node.env

info=/var/lib/glusterd/vols/$VOLUME_NAME/info
mark=$BRICK_FOLDER.to-be-filled
attribute=trusted.glusterfs.volume-id

# The id of the volume that the folder is a brick of; empty when of none.
brick_of() {
  getfattr --only-values --absolute-names -n $attribute "$BRICK_FOLDER" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# Gluster starts no brick without it. A handing over that fails halfway has set it already.
make_unservable() { setfattr -x $attribute "$BRICK_FOLDER" 2>/dev/null || true; }

hand_over() {
  gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" start &&
    gluster --mode=script volume reset-brick "$VOLUME_NAME" "$BRICK" "$BRICK" commit force
}

# The volume is made by form-storage-pool, or comes from the first peer that this machine meets.
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
