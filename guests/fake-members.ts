import { randomUUID } from "node:crypto";
import { withFileLock } from "../host/file-lock";
import { writeJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { isRemoved } from "./fake-etcd";
import { hasEtcd, isEtcdMachine, isMaster } from "./fake-masters";
import { isStopped } from "./fake-moved-etcd";
import { type Cluster, clusterFile, type NodeState, nodeFile, readCluster, readNode } from "./fake-nodes";
import type { RunResult } from "./guest-ssh";

/** How simulated nodes become members of their cluster, and change it as members. */

export const ok = (stdout = ""): RunResult => ({ code: 0, stdout, stderr: "" });
export const failed = (stderr: string, code = 1): RunResult => ({ code, stdout: "", stderr });

/** Acts on the order of the node, as far as it can now. */
export function advance(node: MachineName): Promise<NodeState> {
  return withFileLock(clusterFile(node.stack), async () => {
    const state = await readNode(node);
    if (state.phase !== "bootstrapping" && state.phase !== "joining") return state;
    const machine = await readMachine(localHost, node);
    const generation = machine?.made?.generation ?? "";
    const cluster = await readCluster(node);
    const tokenEnd = cluster?.tokens?.[state.token ?? ""] ?? 0;
    if (!cluster) return state;
    const ofEtcd = isEtcdMachine(machine);
    if (!ofEtcd && state.order === "join" && tokenEnd <= Date.now()) return state;
    const present = cluster.nodes[node.name];
    const isStale = !ofEtcd && state.order === "join" && present && present !== generation;
    const next: NodeState = isStale
      ? { ...state, phase: "failed", error: `a Node ${node.name} of an earlier machine exists` }
      : (await isRemoved(node))
        ? { ...state, phase: "failed", error: "the member has been removed from the cluster" }
        : {
            ...state,
            phase: "member",
            etcdData: hasEtcd(machine),
            ...(hasEtcd(machine) && { memberId: state.memberId ?? randomUUID() }),
          };
    if (next.phase === "member") {
      const nodes = { ...cluster.nodes, [node.name]: generation };
      const masters = [...new Set([...(cluster.masters ?? []), ...(isMaster(machine) ? [node.name] : [])])];
      const etcd = [...new Set([...(cluster.etcd ?? []), ...(ofEtcd ? [node.name] : [])])];
      const members = { ...cluster.members, ...(next.memberId !== undefined && { [node.name]: next.memberId }) };
      await writeJson(clusterFile(node.stack), {
        ...cluster,
        nodes,
        masters,
        members,
        ...(etcd.length > 0 && { etcd }),
      });
    }
    await writeJson(nodeFile(node), next);
    return next;
  });
}

/** A kubelet that starts with its credentials registers a Node that was deleted. */
export async function registerAgain(node: MachineName): Promise<void> {
  const generation = (await readMachine(localHost, node))?.made?.generation;
  if ((await readNode(node)).phase !== "member" || generation === undefined) return;
  await withFileLock(clusterFile(node.stack), async () => {
    const cluster = await readCluster(node);
    if (!cluster || cluster.nodes[node.name] !== undefined) return;
    await writeJson(clusterFile(node.stack), { ...cluster, nodes: { ...cluster.nodes, [node.name]: generation } });
  });
}

/** The cluster; `undefined` if the node is no member of it. */
export async function asMember(node: MachineName): Promise<Cluster | undefined> {
  if ((await advance(node)).phase !== "member" || (await isRemoved(node)) || (await isStopped(node))) return undefined;
  return readCluster(node);
}

export function change(node: MachineName, next: (cluster: Cluster) => Cluster): Promise<RunResult> {
  return asMember(node).then((member) => {
    if (!member) return failed("the API does not respond");
    return withFileLock(clusterFile(node.stack), async () => {
      const cluster = await readCluster(node);
      if (cluster) await writeJson(clusterFile(node.stack), next(cluster));
      return ok();
    });
  });
}
