#!/bin/bash
# take-backup [now]: writes a backup of the cluster when the newest one is BACKUP_EVERY seconds old, or at once with `now`, and
# keeps the newest BACKUP_KEEP. groundplane-backup.timer runs it every few minutes on every master. On the storage volume
# (BACKUP_VOLUME), masters share one folder: the first one that finds a backup due takes it, and the others find it taken. Without
# a volume each master has its own. May be killed anywhere: a backup gets its name when it is complete and has been read back.
#
# A file is a line with the stack's name, the encrypted backup, and a digest over both that needs the key. The key follows from
# that of Secrets in etcd, which only masters and the state of the stack have: machines that mount the volume can neither read
# nor forge a backup. backup/master-backup.ts reads it.
set -eu -o pipefail
umask 077
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:=/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

# The key was removed from the configuration: nothing stops a timer that runs.
if [ -z "${BACKUP_EVERY:-}" ]; then
  systemctl stop --no-block groundplane-backup.timer
  exit 0
fi
read_phase
if [ "$phase" != member ]; then exit 0; fi

fail() {
  echo "$1" >&2
  exit 1
}

# seconds_of NAME: its time.
seconds_of() {
  local time=${1%Z.backup}
  time=${time: -15}
  date --utc --date "${time:0:4}-${time:4:2}-${time:6:2} ${time:9:2}:${time:11:2}:${time:13:2}" +%s
}
# is_due NAME: after this backup, or without any.
is_due() {
  local age
  [ -n "$1" ] || return 0
  age=$(($(date +%s) - $(seconds_of "$1")))
  # Timers are not exact, and a clock may have been wrong.
  ((age >= BACKUP_EVERY - 60 || age < -300))
}
is_wanted() { [ "$wanted" = now ] || is_due "$1"; }
wanted=${1:-}

# What was seen at the last look is enough to know that none is due: nothing is mounted then.
seen=""
if [ -r "$BACKUP_STATE" ]; then read -r seen _ <"$BACKUP_STATE" || true; fi
if ! is_wanted "$seen"; then exit 0; fi

# The mount is in a namespace of its own, see the service; it ends with this script.
if [ -n "${BACKUP_VOLUME:-}" ]; then
  read -r server others <<<"$BACKUP_SERVERS"
  mkdir -p "$BACKUP_MOUNT"
  timeout 60 mount -t glusterfs -o "log-level=WARNING${others:+,backup-volfile-servers=${others// /:}}" \
    "$server:/$BACKUP_VOLUME" "$BACKUP_MOUNT" || fail "the storage volume cannot be mounted"
fi
if [ -n "${BACKUP_MOUNT:-}" ] && ! mountpoint --quiet "$BACKUP_MOUNT"; then
  fail "$BACKUP_MOUNT is not mounted: the backup would be on the system disk"
fi

folder=$BACKUP_FOLDER
new=""
leave() {
  if [ -n "$new" ]; then rm -f "$new"; fi
  if [ -n "${BACKUP_VOLUME:-}" ]; then umount --lazy "$BACKUP_MOUNT" 2>/dev/null || true; fi
}
trap leave EXIT
mkdir -p "$folder"
chmod 0700 "$folder"
exec 9>"$folder/.lock"
taken=0
flock --nonblock --conflict-exit-code 75 9 || taken=$?
# Another master is at it.
if [ "$taken" = 75 ]; then exit 0; fi
[ "$taken" = 0 ] || fail "$folder/.lock cannot be locked"
new="$folder/.new-$NODE_NAME"

backups() { find "$folder" -maxdepth 1 -type f -name "$STACK-????????T??????Z.backup" -size +0 -printf '%f\n' | sort; }
newest() { backups | tail -n 1; }
# For `status`, which mounts nothing.
remember_newest() {
  local name
  name=$(newest)
  if [ -z "$name" ]; then
    rm -f "$BACKUP_STATE"
    return 0
  fi
  printf '%s %s\n' "$name" "$(stat -c %s "$folder/$name")" >"$BACKUP_STATE.new"
  mv "$BACKUP_STATE.new" "$BACKUP_STATE"
}

secret=$(sed -n 's/^ *secret: "\{0,1\}\([A-Za-z0-9+/=]*\)"\{0,1\}$/\1/p' "$BACKUP_KEY_FILE" | head -n 1)
[ -n "$secret" ] || fail "$BACKUP_KEY_FILE has no key"
# No key is an argument of a program: every process could read it.
key_for() { printf 'groundplane backup %s\n%s\n' "$1" "$secret" | sha256sum | cut -c -64; }
cipher() { openssl enc -aes-256-ctr -md sha256 -pbkdf2 -iter 1 -pass fd:3 "$@" 3< <(key_for encryption); }
# pad BYTE: the key of the digest, as HMAC needs it.
pad() { key_for authentication | perl -e 'chomp(my $key = <STDIN>); print pack("H64", $key) ^ (chr(hex shift) x 64)' "$1"; }
binary() { perl -e 'chomp(my $hex = <STDIN>); print pack("H64", $hex)'; }
digest() { sha256sum | cut -c -64; }
# hmac FILE: HMAC-SHA256 in hex.
hmac() { { pad 5c && { pad 36 && cat "$1"; } | digest | binary; } | digest; }

manifest() {
  local kubernetes
  # Masters of two releases live side by side in an upgrade.
  kubernetes=$(kubeadm version --output=short) || return
  printf '{"format":1,"stack":"%s","created":"%s","kubernetes":"%s","member":"%s","members":[%s]}\n' \
    "$STACK" "$1" "${kubernetes#v}" "$NODE_NAME" "\"${BACKUP_MEMBERS// /\",\"}\""
}
# read_back HEAD: reads the new file from its disk, and verifies etcd's snapshot in it again.
read_back() {
  tail -c "+$((${#1} + 2))" "$new" | cipher -d | {
    local size recorded computed
    # The manifest, and what etcd answered.
    read -r _ && read -r _ && read -r _ && read -r size recorded
    computed=$(head -c "$((size - 32))" | digest)
    [ "$computed" = "$recorded" ] && [ "$(tail -c 32 | od -An -v -tx1 | tr -d ' \n')" = "$recorded" ]
  }
}

take() {
  local seconds head name code
  seconds=$(date +%s)
  name="$STACK-$(date --utc --date "@$seconds" +%Y%m%dT%H%M%SZ).backup"
  head="groundplane-backup-1 $STACK"
  printf '%s\n' "$head" >"$new"
  # shellcheck disable=SC2094 # cipher only appends
  ETCD_CLIENT=$BACKUP_ETCD_CLIENT "$here/take-snapshot" "$BACKUP_WORK" |
    { manifest "$(date --utc --date "@$seconds" +%Y-%m-%dT%H:%M:%SZ)" && cat; } | cipher >>"$new"
  sync "$new"
  read_back "$head" || fail "the backup was not written as it was taken"
  code=$(hmac "$new")
  binary <<<"$code" >>"$new"
  sync "$new"
  mv "$new" "$folder/$name"
  sync "$folder"
  echo "$name: $(stat -c %s "$folder/$name") bytes"
}

rm -f "$folder"/.new-*
remember_newest
if ! is_wanted "$(newest)"; then exit 0; fi
take
# The oldest go only when a newer one is good.
backups | head -n "-$BACKUP_KEEP" | while read -r name; do rm -f "$folder/$name"; done
remember_newest
