#!/bin/bash
# follow-corosync-key MEMBERS: all members of the balancers' cluster use the key in their files, and this many take part. Run on one of them
# after each has the new key. May be killed anywhere and run again. Exit code 1 = not yet. Fine where Corosync does not run: it begins with
# the file.
#
# Corosync changes its key while it runs, on all members at once. One of them may lose the others for about two seconds.
set -u
expected=${1:?usage: follow-corosync-key MEMBERS}
patience=${PATIENCE:-90}
# So many good answers one after the other, half a second apart: longer than a member that has lost the others takes to notice it. A time
# alone would pass with a single answer on a host that is busy.
answers=${ANSWERS:-10}

is_complete() {
  local votes
  votes=$(corosync-quorumtool -s 2>/dev/null | sed -n 's/^Total votes: *//p')
  [ "$votes" = "$expected" ]
}
has_one_holder() { [ "$(crm_resource --resource floating-ip --locate 2>/dev/null | grep -c 'is running on')" = 1 ]; }

if ! systemctl is-active --quiet corosync; then exit 0; fi
said=$(corosync-cfgtool -R 2>&1) || {
  echo "Corosync does not read its files again: $(tail -n 1 <<<"$said")" >&2
  exit 1
}
end=$((SECONDS + patience))
good=0
until ((good >= answers)); do
  if ((SECONDS >= end)); then
    echo "not all $expected members of Corosync take part, or not one balancer holds the floating IP" >&2
    exit 1
  fi
  sleep 0.5
  if is_complete && has_one_holder; then good=$((good + 1)); else good=0; fi
done
