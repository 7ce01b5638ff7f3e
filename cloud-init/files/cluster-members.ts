import { floatingIpSegment } from "../../model/segments";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";

/** A member of the balancers' Corosync cluster. */
export interface ClusterMember {
  readonly name: string;
  readonly nodeId: number;
  readonly address: string;
  /** Has a vote but never holds the floating IP. */
  readonly standby: boolean;
}

/** Both balancers, and the gateway, whose vote gives a quorum when the balancers lose contact. */
export function clusterMembers(plan: DataCenterPlan): readonly ClusterMember[] {
  const balancers = nodesOf(plan, "balancer");
  return [
    ...balancers.map((node) => member(node, node.index, false)),
    ...nodesOf(plan, "gateway").map((node) => member(node, balancers.length + 1, true)),
  ];
}

function member(node: NodePlan, nodeId: number, standby: boolean): ClusterMember {
  const nic = node.interfaces.find(({ segment }) => segment === floatingIpSegment);
  if (!nic) throw new Error(`${node.name} has no interface in the dmz`);
  return { name: node.name, nodeId, address: nic.address, standby };
}
