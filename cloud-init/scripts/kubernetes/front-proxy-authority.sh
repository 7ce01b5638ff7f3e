#!/bin/bash
# front-proxy-authority trust|reissue|drop|withdraw AUTHORITY: one stage of a rotation of the authority of front proxies on this master. An
# API server shows a certificate of it to the servers of API extensions, which then believe the name of the user that it sends. AUTHORITY is
# base64 of the PEM text of the new one. See authority-stages; `withdraw` comes last, on one master.
#
# May be killed anywhere and run again. Exit code 1 = not yet.
#
# API servers follow the changed files within a minute. Extensions read the authorities in a ConfigMap, to which each API server adds
# those that it accepts.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "${NODE_ENVIRONMENT:-/etc/groundplane/node.env}"
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

authority=front-proxy-ca
family=front-proxy-ca
# shellcheck source-path=SCRIPTDIR source=authority-stages.sh
. "$here/authority-stages"

leaf=front-proxy-client
field=requestheader-client-ca-file
# An API server looks every minute by itself, should it miss the change of a file.
reading=${READING:-65}

main() {
  stage=${1:?usage: front-proxy-authority trust|reissue|drop|withdraw AUTHORITY}
  open_stage
  read_authority "${2:?the authority is missing}"
  read_phase
  [ "$phase" = member ] || not_yet "this master is no member of the cluster yet"
  case $stage in trust | reissue | drop | withdraw) "$stage" ;; *) not_yet "unknown stage: $stage" ;; esac
}

follows() { [ "$(accepted_at "$NODE_ADDRESS:$API_PORT")" = "$(names_in "$ca")" ] && is_ready; }

is_published() { read_published "$field" && has_certificate "$work/published.crt" "$new"; }

trust() {
  if ! has_certificate "$ca" "$new"; then
    refuse_other_masters
    add_authority
  fi
  await "the API server does not accept the authorities of $ca" follows
  await "the API server does not publish the new authority" is_published
}

reissue() {
  if ! is_reissued "$leaf"; then
    issue "$leaf"
    place_issued "$leaf"
  fi
  await "the API server does not accept the authorities of $ca" follows
}

drop() {
  is_reissued "$leaf" || not_yet "this master has a certificate of a former authority"
  if ! is_only_new; then
    await_reading
    keep_new_authority
  fi
  await "the API server accepts other authorities than those of $ca" follows
}

# The API server has read its new certificate.
await_reading() {
  local left=$(($(stat --format %Y "$pki/$leaf.crt") + reading - $(date +%s)))
  # The clock may have been set meanwhile.
  if ((left > reading)); then left=$reading; fi
  if ((left > 0)); then sleep "$left" 9>&-; fi
}

withdraw() { await "another API server publishes the former authority again" is_withdrawn "$field" "$new"; }

main "$@"
