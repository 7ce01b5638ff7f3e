#!/bin/bash
# run-component NAME PROGRAM: becomes the program of a component of the control plane, with the arguments of prepare-component and
# with the unit's own copies of the files that they name.
set -eu

name=${1:?usage: run-component NAME PROGRAM}
program=${2:?usage: run-component NAME PROGRAM}
credentials=${CREDENTIALS_DIRECTORY:?}

mapfile -d '' -t arguments <"${PREPARED:-/run/groundplane-control-plane}/$name.arguments"
arguments=("${arguments[@]//@credentials@/$credentials}")
for argument in "${arguments[@]}"; do
  if [[ "$argument" == --*="$credentials"/* ]] && [ ! -r "${argument#*=}" ]; then
    echo "$argument: the unit $name has no such credential" >&2
    exit 1
  fi
done
# Under the name that it has in a pod.
exec -a "$name" "$program" "${arguments[@]}"
