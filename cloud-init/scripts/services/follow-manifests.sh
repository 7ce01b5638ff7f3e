#!/bin/bash
# follow-manifests: starts the components of the control plane when kubeadm has written their manifests, and restarts those whose
# manifest, certificates or other files have changed, as the kubelet does with static pods. The loop uses commands of the shell
# only, so that it costs nothing.
set -eu
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
manifests=${MANIFESTS:-/etc/kubernetes/manifests}
prepared=${PREPARED:-/run/groundplane-control-plane}
# Nothing is ever written to it: reading waits without a process.
exec {never}<> <(:)

pause() { read -r -t "$1" -u "$never" || true; }

# read_text FILE: sets $text; empty without the file.
read_text() {
  text=
  if [ -e "$1" ]; then IFS= read -r -d '' text <"$1" || true; fi
}

# kubeadm's last line: the file is complete.
is_complete() {
  local text
  read_text "$1"
  [[ "$text" == *$'\nstatus: {}\n' ]]
}

same_text() {
  local text first
  read_text "$1"
  first=$text
  read_text "$2"
  [ "$text" = "$first" ]
}

has_newer_file() {
  local file
  while IFS= read -r file; do
    if [ "$file" -nt "$prepared/$1.started" ]; then return 0; fi
  done <"$prepared/$1.files"
  return 1
}

is_changed() { ! same_text "$manifests/$1.yaml" "$prepared/$1.yaml" || has_newer_file "$1"; }

# Sets $changed.
find_changed() {
  local name
  changed=()
  for name in $CONTROL_PLANE_SERVICES; do
    if [ -e "$prepared/$name.arguments" ] && is_complete "$manifests/$name.yaml" && is_changed "$name"; then
      changed+=("$name")
    fi
  done
}

start_or_stop() {
  local name
  for name in $CONTROL_PLANE_SERVICES; do
    if [ ! -e "$manifests/$name.yaml" ]; then
      if [ -e "$prepared/$name.arguments" ]; then
        systemctl stop "$name"
        rm -f "$prepared/$name.arguments"
      fi
    elif [ ! -e "$prepared/$name.arguments" ] && is_complete "$manifests/$name.yaml"; then
      systemctl start "$name" || pause 1
    fi
  done
}

# A component restarts once for files that are written one after the other.
restart_changed() {
  local count
  find_changed
  if [ "${#changed[@]}" -eq 0 ]; then return; fi
  count=0
  until [ "$count" -eq "${#changed[@]}" ]; do
    count=${#changed[@]}
    pause 1
    find_changed
  done
  if [ "$count" -eq 0 ]; then return; fi
  echo "changed files: ${changed[*]}"
  systemctl restart "${changed[@]}" || pause 1
}

while :; do
  start_or_stop
  restart_changed
  pause 0.5
done
