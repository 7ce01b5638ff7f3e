import type { Role } from "../../stacks/plan/data-center-plan";

export const hostKeyPath = "/etc/ssh/ssh_host_ed25519_key";

/** A drop-in for sshd: keys only, one pinned host key; forwarding only through the gateway, the bastion. */
export function renderSshdConf(role: Role): string {
  return `# The first value of a setting wins, and this file is read before Debian's own.
HostKey ${hostKeyPath}
PermitRootLogin prohibit-password
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding ${role === "gateway" ? "local" : "no"}
UseDNS no
# Everybody comes from one address, that of the NAT or of the gateway: limits per source would shut out all for one.
PerSourcePenalties no
MaxStartups 200:30:400
MaxSessions 100
`;
}
