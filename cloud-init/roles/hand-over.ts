import { balancerNames, balancers } from "../../model/balancers";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import { isClusterNode } from "../../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { commandFile } from "../guest-command";
import { firstInterface } from "../network-config";
import { confValue } from "../quoting";
import { ownUnit, type RoleContent } from "../role-content";

const unitName = "groundplane-hand-over.service";

/** What moves the floating IP, and what forwards connections: they run until the unit has stopped. */
const outlasting = [...balancerNames.map((name) => balancers[name].unit), "pacemaker", "corosync", "keepalived"];

/** Before each stop of the machine: of the stack, of a reboot, of a roll of images. */
const unit = `[Unit]
Description=Hand the clients of the floating IP over before this balancer stops
After=network.target ${outlasting.map((name) => `${name}.service`).join(" ")}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${guestCommand("hand-over")} prepare
ExecStop=${guestCommand("hand-over")} away
TimeoutStopSec=22s

[Install]
WantedBy=multi-user.target
`;

/** The floating IP and its connections leave a balancer before it stops, for balancers that share it. */
export function handOverContent(plan: DataCenterPlan, node: NodePlan): Pick<RoleContent, "files" | "enable"> {
  const { movedBy, port } = plan.balancing;
  if (movedBy === "static") return { files: [], enable: [] };
  const all = nodesOf(plan, "balancer");
  const peers = all.filter(({ name }) => name !== node.name).map(({ address }) => confValue(address));
  // NodePorts on the own address of a Node of the cluster are kube-proxy's, which does not see packets for the floating IP there.
  const isShared = all.some(({ roles }) => isClusterNode(roles));
  const forwarded = isShared ? [] : plan.hostPorts.nodePorts;
  const toPorts = [port, ...forwarded.map(({ nodePort }) => nodePort)].map(confValue).join(", ");
  const values = {
    rules: guestPaths.handOverRules,
    peers: peers.join(" "),
    ports: toPorts,
    probe: String(ports.handOver),
    own: isShared ? "" : ` or src ${confValue(node.address)}`,
  };
  const prepare = { reload: `${guestCommand("hand-over")} prepare` };
  return {
    files: [
      {
        path: guestPaths.handOverRules,
        mode: "0644",
        content: receivingRules(plan, node, toPorts),
        changes: { reload: "", check: 'nft --check --file "$1"' },
      },
      { ...commandFile("balancer/hand-over", values), changes: prepare },
      ownUnit(unitName, unit, `systemctl start --no-block ${unitName}`),
    ],
    enable: [unitName],
  };
}

/** The holder sends new connections here before the address is here. The other port tells that this works: it is the API's. */
const receivingRules = ({ balancing }: DataCenterPlan, node: NodePlan, toPorts: string): string => {
  const [name, own, floating] = [firstInterface(node).name, node.address, balancing.floatingIp].map(confValue);
  return `#!/usr/sbin/nft -f
table ip groundplane_receive
delete table ip groundplane_receive

table ip groundplane_receive {
  chain arriving {
    type nat hook prerouting priority dstnat - 10; policy accept;
    iifname "${name}" ip daddr ${floating} tcp dport { ${toPorts} } fib daddr type != local dnat to ${own}
    iifname "${name}" ip daddr ${own} tcp dport ${ports.handOver} dnat to ${own}:${confValue(balancing.port)}
  }
}
`;
};
