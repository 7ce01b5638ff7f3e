import { closedToPods } from "../../../model/flows";
import { guestPaths } from "../../../model/guest-paths";
import { podBridge } from "../../../model/pod-network";
import { roles } from "../../../model/roles";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { containerRuntime } from "../../planned-runtime";
import { confValue } from "../../quoting";
import { ownUnit, type TextFile } from "../../role-content";

export const podFilterName = "groundplane-pod-filter.service";

const load = `/usr/sbin/nft --file ${guestPaths.podFilter}`;

/**
 * Closes the management of nodes, and storage machines, to pods. Outside its node a pod has the node's address, so only its own
 * node can filter it. The rules match the interface, because a pod can forge its address.
 */
export const podFilter = (plan: DataCenterPlan): readonly TextFile[] => [
  {
    path: guestPaths.podFilter,
    mode: "0644",
    content: rules(plan),
    changes: {
      reload: `systemctl daemon-reload && systemctl reload-or-restart ${podFilterName}`,
      check: 'nft --check --file "$1"',
    },
  },
  ownUnit(
    podFilterName,
    `[Unit]
Description=Close the management of nodes to pods
Before=${containerRuntime(plan).unit} kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${load}
ExecReload=${load}

[Install]
WantedBy=multi-user.target
`,
  ),
];

function rules(plan: DataCenterPlan): string {
  const storage = plan.segments.find(({ name }) => name === roles.storage.segment);
  const noStorage = storage ? `    ip daddr ${confValue(storage.cidr)} ${refused} comment "storage machines"\n` : "";
  return `#!/usr/sbin/nft -f
table inet groundplane_pods
delete table inet groundplane_pods

table inet groundplane_pods {
  chain to_this_node {
    type filter hook input priority filter - 1; policy accept;
    iifname != "${podBridge}" accept
    ct state established,related accept
    jump management
  }

  chain to_other_nodes {
    type filter hook forward priority filter - 1; policy accept;
    iifname != "${podBridge}" accept
    ip saddr != ${confValue(plan.kubernetes.podCidr)} drop comment "a forged address"
    ct state established,related accept
${noStorage}    ip daddr ${confValue(plan.cidr)} jump management
  }

  chain management {
${closedToPods.map(({ purpose, protocol, ports }) => `    ${protocol} dport { ${ports.map(confValue).join(", ")} } ${refused} comment "${purpose}"\n`).join("")}  }
}
`;
}

/** An immediate error instead of a timeout. */
const refused = "reject with icmpx admin-prohibited";
