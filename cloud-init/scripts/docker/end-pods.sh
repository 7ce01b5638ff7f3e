#!/bin/bash
# The functions of kubernetes/end-pods that differ with Docker. They replace the functions of the same names there.

in_containerd() { ctr --namespace moby "$@"; }

describe() {
  docker inspect --format '{{json .Config}}' "$1" 2>/dev/null | jq --raw-output '
    select(.Labels["io.kubernetes.docker.type"] == "container")
    | [ .Labels["io.kubernetes.pod.namespace"] // "",
        .Labels["io.kubernetes.container.name"] // "",
        .StopSignal // "SIGTERM",
        .Labels["annotation.io.kubernetes.pod.terminationGracePeriod"] // "30",
        .Labels["annotation.io.kubernetes.container.preStopHandler"] // "" ]
    | join("\u001f")'
}
