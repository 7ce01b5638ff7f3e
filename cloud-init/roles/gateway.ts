import { guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderDhcpHosts, renderDnsmasqConf } from "../files/dnsmasq-conf";
import { renderNftablesConf } from "../files/nftables-conf";
import { routeUnitName, serviceAddressRoute } from "../files/service-address-route";
import { commandFile } from "../guest-command";
import type { RoleContent, SeedFile } from "../role-content";
import { balancingChange } from "./balancing-change";
import { clusterMemberContent } from "./cluster-member";

const sysctlPath = "/etc/sysctl.d/90-groundplane.conf";
const applySysctl = ["/usr/lib/systemd/systemd-sysctl", sysctlPath];

/** Router, firewall, NAT, DNS, DHCP and bastion; under Pacemaker also the third vote of the balancers' cluster. */
export function gatewayContent(plan: DataCenterPlan): RoleContent {
  const { movedBy } = plan.balancing;
  const cluster = movedBy === "pacemaker" ? clusterMemberContent(plan) : undefined;
  const change = balancingChange(plan);
  // Under Pacemaker the cluster tells the gateway of another program.
  const route = serviceAddressRoute(plan);
  const changing = movedBy === "keepalived" ? change.files : [];
  return {
    files: [...gatewayFiles(plan), commandFile("gateway/role-ready"), ...route, ...(cluster?.files ?? []), ...changing],
    environment: { FLOATING_IP_BY: movedBy, ...change.environment },
    withSettings: change.withSettings,
    commands: [applySysctl],
    enable: ["nftables.service", "dnsmasq.service", ...route.map(() => routeUnitName), ...(cluster?.enable ?? [])],
  };
}

/** After the first boot the rules are active before the first interface is up. */
const rulesBeforeNetwork: SeedFile = {
  path: "/etc/systemd/system/sysinit.target.d/10-firewall.conf",
  mode: "0644",
  content: "[Unit]\nWants=nftables.service\n",
};

const gatewayFiles = (plan: DataCenterPlan): SeedFile[] => [
  rulesBeforeNetwork,
  {
    path: "/etc/nftables.conf",
    mode: "0644",
    content: renderNftablesConf(plan),
    // Even if it is inactive: a gateway without rules would forward everything.
    changes: { reload: "systemctl reload-or-restart nftables", check: 'nft --check --file "$1"' },
  },
  {
    path: "/etc/dnsmasq.d/groundplane.conf",
    mode: "0644",
    content: renderDnsmasqConf(plan),
    changes: { reload: "systemctl try-restart dnsmasq", check: 'dnsmasq --test --conf-file="$1"' },
  },
  {
    path: guestPaths.dhcpHosts,
    mode: "0644",
    content: renderDhcpHosts(plan),
    changes: { reload: "systemctl try-reload-or-restart dnsmasq" },
  },
  {
    path: sysctlPath,
    mode: "0644",
    content: "net.ipv4.ip_forward = 1\n",
    changes: { reload: applySysctl.join(" ") },
  },
];
