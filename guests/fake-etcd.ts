import { localHost } from "../host/local-host";
import { readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { etcdMembersOf } from "./fake-masters";
import { type Cluster, readCluster, readNode } from "./fake-nodes";

/** The members of a simulated etcd. Their data are on their machines' disks. */

/** Whether etcd has removed the member whose data are on the node's disk. Such a member never works again. */
export async function isRemoved(node: MachineName): Promise<boolean> {
  const { memberId } = await readNode(node);
  return memberId !== undefined && (await readCluster(node))?.members?.[node.name] !== memberId;
}

/** Why one of them does not vote or is not healthy. @param cluster whose member the asked node is */
export async function etcdProblem(
  node: MachineName,
  names: readonly string[],
  cluster: Cluster | undefined,
): Promise<string | undefined> {
  if (!cluster) return "etcd does not respond";
  for (const name of names) {
    const other = { ...node, name };
    const { phase, etcdData } = await readNode(other);
    const isVoter = phase === "member" && etcdData && !(await isRemoved(other));
    if (!isVoter) return `${name} is not a voting member of etcd`;
    if ((await readMachine(localHost, other))?.power !== "running") return `etcd on ${name} is not healthy`;
  }
  return undefined;
}

/** A member of etcd is healthy while the machine that joined is running. */
export async function mayLeave(
  node: MachineName,
  leaving: string,
  cluster: Cluster | undefined,
): Promise<string | undefined> {
  if (!cluster) return "etcd does not respond";
  const others = (await etcdMembersOf(cluster, node.stack)).filter((name) => name !== leaving);
  const healthy = [];
  for (const name of others) {
    const record = await readMachine(localHost, { ...node, name });
    if (record?.power === "running" && record.made?.generation === cluster.nodes[name]) healthy.push(name);
  }
  if (healthy.length * 2 > others.length) return undefined;
  return `only ${healthy.join(", ")} of ${others.join(", ")} would be healthy`;
}
