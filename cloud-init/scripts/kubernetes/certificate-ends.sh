#!/bin/bash
# When certificates of this master are renewed, and until when the new ones are valid; sourced by the commands that renew them. None is
# valid longer than the cluster's authority: in its last year certificates end with it, and a renewal could not make them last longer.

# end_of <CERTIFICATE: seconds since 1970; fails without a certificate.
end_of() {
  local line
  line=$(openssl x509 -noout -enddate 2>/dev/null) && date -d "${line#*=}" +%s
}

# shellcheck disable=SC2154 # the caller's folder of certificates
authority_end=$(end_of <"$pki/ca.crt")
# Of kubeadm.
longest_seconds=$((365 * 86400))

# is_due <CERTIFICATE: it ends soon, or after the authority.
is_due() {
  local end
  end=$(end_of) || return 0
  ((end > authority_end)) || ((end < $(date +%s) + RENEWAL_SECONDS && end < authority_end - 3600))
}

# limited_configuration FILE COPY: prints the name of kubeadm's configuration, of COPY if certificates must end before their time.
limited_configuration() {
  # kubeadm begins later than now.
  local left=$((authority_end - $(date +%s) - 60))
  if ((left >= longest_seconds)); then
    echo "$1"
    return
  fi
  (umask 077 && sed "s|^kind: *\"\{0,1\}ClusterConfiguration\"\{0,1\}\$|&\ncertificateValidityPeriod: \"${left}s\"|" "$1" >"$2")
  echo "$2"
}
