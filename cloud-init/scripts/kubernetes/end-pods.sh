#!/bin/bash
# end-pods: ends all pods of a node that shuts down or reboots; systemd runs it after the kubelet has stopped and before
# containerd and the network do. Each container gets what it would get from the kubelet: its preStop hook, its stop signal, and
# the grace period of its pod, up to the configured limit. The pods of the data centre itself, which the others need, end last, and
# etcd after its API server, which completes the requests that it has accepted.
# The kubelet starts all of them again after the boot.
set -u
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"

limit=${POD_GRACE_SECONDS:-30}
# Nothing of the control plane needs longer, and the shutdown of a master should be short.
own_limit=3
declare -A process_of=() deadline_of=()

in_containerd() { ctr --namespace k8s.io "$@"; }

# One line per running container: ID PID.
running() { in_containerd tasks list 2>/dev/null | awk 'NR > 1 && $3 == "RUNNING" { print $1, $2 }'; }

# Columns: namespace, container, stop signal, grace period, preStop hook. Empty for the sandbox of a pod, which has no process of its own
# to wait for.
describe() {
  in_containerd containers info "$1" 2>/dev/null | jq --raw-output '
    select(.Labels["io.cri-containerd.kind"] == "container")
    | (.Extensions["io.cri-containerd.container.metadata"] // {}) as $extension
    | (($extension.value // $extension.Value // "") | @base64d | (fromjson? // {})) as $kept
    | ($kept.Metadata.Config.annotations // {}) as $notes
    | [ .Labels["io.kubernetes.pod.namespace"] // "",
        .Labels["io.kubernetes.container.name"] // "",
        .Labels["io.containerd.image.config.stop-signal"] // "SIGTERM",
        $notes["io.kubernetes.pod.terminationGracePeriod"] // "30",
        $notes["io.kubernetes.container.preStopHandler"] // "" ]
    | join("\u001f")'
}

# An address of the container's pod, for hooks by HTTP.
address_of() { nsenter --target "$1" --net -- hostname -I 2>/dev/null | cut -d ' ' -f 1; }

run_hook() { # ID PID HOOK
  local words=() seconds url
  case $(jq --raw-output 'keys[0] // ""' <<<"$3" 2>/dev/null) in
    exec)
      mapfile -d '' -t words < <(jq --join-output '.exec.command[] | . + "\u0000"' <<<"$3")
      in_containerd tasks exec --exec-id "pre-stop-$$-$RANDOM" "$1" "${words[@]}"
      ;;
    sleep)
      seconds=$(jq '.sleep.seconds' <<<"$3")
      sleep "$seconds"
      ;;
    httpGet)
      url=$(jq --raw-output --arg pod "$(address_of "$2")" '.httpGet
        | ((.scheme // "HTTP") | ascii_downcase) + "://" + (.host // $pod) + ":" + (.port | tostring) + (.path // "/")' <<<"$3")
      curl --silent --insecure --max-time "$limit" --output /dev/null "$url"
      ;;
  esac
}

# end_containers LIMIT, with lines of ID PID SIGNAL GRACE HOOK on stdin.
end_containers() {
  local id pid signal grace hook left
  declare -A killed=()
  process_of=() deadline_of=()
  while IFS=$'\037' read -r id pid signal grace hook; do
    process_of[$id]=$pid
    [[ "$grace" =~ ^[0-9]+$ ]] || grace=30
    if [ "$grace" -gt "$1" ]; then grace=$1; fi
    # SECONDS counts full seconds: without one more, the period could be almost a second too short.
    deadline_of[$id]=$((SECONDS + grace + 1))
    (
      [ -z "$hook" ] || run_hook "$id" "$pid" "$hook"
      in_containerd tasks kill --signal "$signal" "$id"
    ) >/dev/null 2>&1 &
  done
  while [ "${#process_of[@]}" -gt 0 ]; do
    for id in "${!process_of[@]}"; do
      left=$((deadline_of[$id] - SECONDS))
      if [ ! -d "/proc/${process_of[$id]}" ]; then
        unset "process_of[$id]"
      elif [ "$left" -le 0 ]; then
        [ -n "${killed[$id]:-}" ] || in_containerd tasks kill --signal SIGKILL "$id" >/dev/null 2>&1
        killed[$id]=yes
        # It is gone soon, or it hangs in the kernel: the power-off does not wait for it.
        if [ "$left" -le -2 ]; then unset "process_of[$id]"; fi
      fi
    done
    sleep 0.1
  done
}

# Balancers and other clients are refused at once and take another node. Connections through this node to pods of others have a second to
# end. They are cut when its network ends.
refuse_node_ports() {
  nft -f - <<RULES
table inet groundplane_stop {
  chain node_ports {
    type filter hook prerouting priority -150; policy accept;
    fib daddr type local tcp dport ${NODE_PORTS-} ct state new reject with tcp reset
  }
}
RULES
}

main() {
  local id pid namespace container line signal grace hook pause users="" own="" store=""
  while read -r id pid; do
    IFS=$'\037' read -r namespace container signal grace hook < <(describe "$id") || continue
    line=$id$'\037'$pid$'\037'$signal$'\037'$grace$'\037'$hook$'\n'
    case " $CLUSTER_NAMESPACES " in
      *" $namespace "*) if [ "$container" = etcd ]; then store+=$line; else own+=$line; fi ;;
      *) users+=$line ;;
    esac
  done < <(running)
  end_containers "$limit" < <(printf '%s' "$users")
  refuse_node_ports
  sleep 1 &
  pause=$!
  end_containers "$own_limit" < <(printf '%s' "$own")
  end_containers "$own_limit" < <(printf '%s' "$store")
  wait "$pause"
  # The sandboxes.
  running | while read -r id _; do in_containerd tasks kill --signal SIGKILL "$id" >/dev/null 2>&1; done
  exit 0
}

main
