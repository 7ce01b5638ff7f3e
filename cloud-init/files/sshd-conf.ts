import { guestPaths } from "../../model/guest-paths";
import type { Role } from "../../model/roles";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";

type Distribution = DataCenterPlan["distribution"];

/** Ubuntu's sshd, 9.6, does not support it and does not start with an unknown setting. */
const penalties: Readonly<Record<Distribution, string>> = { debian: "PerSourcePenalties no\n", ubuntu: "" };

/** A drop-in for sshd: keys only, one pinned host key; forwarding only through the gateway, the bastion. */
export function renderSshdConf(roles: readonly Role[], distribution: Distribution): string {
  return `# The first value of a setting wins, and this file is read before the distribution's own.
HostKey ${guestPaths.sshHostKey}
PermitRootLogin prohibit-password
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding ${roles.includes("gateway") ? "local" : "no"}
UseDNS no
# All connections come from one address, that of the NAT or the gateway: a limit per source would block all of them.
${penalties[distribution]}MaxStartups 200:30:400
MaxSessions 100
`;
}
