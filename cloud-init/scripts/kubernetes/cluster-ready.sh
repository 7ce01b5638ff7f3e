#!/bin/bash
# cluster-ready [--except=NAME]… NAME…: exit 0 when all these Nodes are Ready, every pod of the cluster's own namespaces runs and is ready
# or has completed, and every Deployment and DaemonSet there has its replicas of its present specification, and a Deployment no others; else
# one line per problem. The pods of excepted Nodes, which may be away, do not count.
set -eu -o pipefail
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

excepted=()
while [[ ${1:-} == --except=* ]]; do
  excepted+=("${1#--except=}")
  shift
done

# One line per object: `node NAME READY`, `pod NAMESPACE/NAME PHASE READY NODE`, `deployment|daemonset NAMESPACE/NAME WANTED
# READY SEEN UPDATED TOTAL`. SEEN is `seen` when the controller has counted the pods of the present specification. Before, a new DaemonSet
# has 0 of 0 pods. UPDATED are those of the present specification; others may be ready, too.
# TOTAL, of Deployments only, also counts those of former ones, except those that are ending. One request for all, since every start of kubectl costs a tenth of a core-second.
# shellcheck disable=SC2016 # the dollars are the template's
template='{{range .items}}{{$name := .metadata.name}}{{$seen := "unseen"}}
{{- if eq (printf "%v" .metadata.generation) (printf "%v" .status.observedGeneration)}}{{$seen = "seen"}}{{end}}
{{- $space := .metadata.namespace}}{{$ready := "Unknown"}}
{{- range .status.conditions}}{{if eq .type "Ready"}}{{$ready = .status}}{{end}}{{end}}
{{- if eq .kind "Node"}}node {{$name}} {{$ready}}
{{else if eq .kind "Pod"}}pod {{$space}}/{{$name}} {{.status.phase}} {{$ready}} {{or .spec.nodeName "-"}}
{{else if eq .kind "Deployment"}}deployment {{$space}}/{{$name}} {{.spec.replicas}} {{or .status.readyReplicas 0}} {{$seen}} {{or .status.updatedReplicas 0}} {{or .status.replicas 0}}
{{else}}daemonset {{$space}}/{{$name}} {{.status.desiredNumberScheduled}} {{or .status.numberReady 0}} {{$seen}} {{or .status.updatedNumberScheduled 0}}
{{end}}{{end}}'

if ! objects=$(kubectl get nodes,pods,deployments,daemonsets --all-namespaces --output "go-template=$template" 2>&1); then
  echo "the API does not answer: $(tail -n 1 <<<"$objects")"
  exit 1
fi

# Users' workloads are ignored: a pod that waits for its image must not block the data centre.
own='^(kube-system|kube-flannel|volumes|metallb-system)/'

# A DaemonSet may not have counted a new node yet: the network must run on every named node.
awk -v names="$*" -v own="$own" -v excepted="${excepted[*]}" '
  BEGIN { away = split(excepted, list, " "); for (i in list) is_away[list[i]] = 1 }
  function missing(what) { print what; failed = 1 }
  function differs(wanted, have) { return have > wanted || have < wanted - ($1 == "daemonset" ? away : 0) }
  $1 == "node" { ready[$2] = $3; next }
  $2 !~ own { next }
  $1 == "pod" && $5 in is_away { next }
  $1 == "pod" && $3 != "Succeeded" && !($3 == "Running" && $4 == "True") { missing("pod " $2 " is " $3 ", not ready") }
  $1 == "deployment" { have[$2] = 1 }
  $1 == "daemonset" { have[$2] = 1; daemons[$2] = $4 }
  ($1 == "deployment" || $1 == "daemonset") && $5 != "seen" { missing($1 " " $2 " is not counted by its controller yet"); next }
  ($1 == "deployment" || $1 == "daemonset") && differs($3, $4) { missing($1 " " $2 " has " $4 " of " $3) }
  ($1 == "deployment" || $1 == "daemonset") && differs($3, $6) { missing($1 " " $2 " has " $6 " of " $3 " as it is specified now") }
  $1 == "deployment" && $7 > $6 { missing("deployment " $2 " still has " ($7 - $6) " of its former specification") }
  END {
    count = split(names, wanted, " ")
    for (i = 1; i <= count; i++) {
      if (!(wanted[i] in ready)) missing("node " wanted[i] " is not in the cluster")
      else if (ready[wanted[i]] != "True") missing("node " wanted[i] " is not Ready")
    }
    if (!("kube-system/coredns" in have)) missing("CoreDNS is not there yet")
    needed = split("kube-system/kube-proxy kube-flannel/kube-flannel-ds", network, " ")
    for (i = 1; i <= needed; i++)
      if (daemons[network[i]] + 0 < count) missing(network[i] " is ready on " daemons[network[i]] + 0 " nodes")
    exit failed
  }' <<<"$objects"
