import { systemNamespace } from "../../model/cluster-namespaces";
import { nodeMarks } from "../../model/node-marks";
import { networkPolicyLabel } from "../../model/releases";
import { isClusterNode, isWorkingMaster, storedRoles } from "../../model/roles";
import type { InventoryEntry } from "../../model/stack-outputs";
import type { ApiClient } from "../api-client";
import { type Finding, healthy, unhealthy, unknown } from "./findings";

/** What the API tells about the cluster. A part without an answer has the reason instead. */
export interface ClusterState {
  readonly nodes: Told<readonly NodeObject[]>;
  readonly pods: Told<readonly PodObject[]>;
  readonly workloads: Told<readonly WorkloadObject[]>;
  /** By name. */
  readonly leases: Readonly<Record<LeaderName, Told<LeaseObject>>>;
}

export type Told<T> = { readonly value: T } | { readonly reason: string };

export const leaderNames = ["kube-scheduler", "kube-controller-manager"] as const;
export type LeaderName = (typeof leaderNames)[number];

interface Condition {
  readonly type: string;
  readonly status: string;
}

export interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly taints?: readonly { readonly key: string }[]; readonly unschedulable?: boolean };
  readonly status: {
    readonly conditions?: readonly Condition[];
    readonly nodeInfo: { readonly kubeletVersion: string };
  };
}

export interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly conditions?: readonly Condition[] };
}

export interface WorkloadObject {
  readonly kind: "Deployment" | "DaemonSet";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly replicas?: number };
  readonly status: {
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
  };
}

export interface LeaseObject {
  readonly spec: {
    readonly holderIdentity?: string | null;
    readonly renewTime?: string | null;
    readonly leaseDurationSeconds?: number;
  };
}

const TIMEOUT_MS = 5_000;

/** Never throws: an API that does not respond is a result. */
export async function askCluster(api: ApiClient): Promise<ClusterState> {
  const get = <T>(path: string): Promise<Told<T>> => ask<T>(api, path);
  const items = <T>(path: string): Promise<Told<readonly T[]>> =>
    get<{ readonly items: readonly T[] }>(path).then((told) => ("value" in told ? { value: told.value.items } : told));
  const [nodes, pods, deployments, daemonSets, ...leases] = await Promise.all([
    items<NodeObject>("/api/v1/nodes"),
    items<PodObject>("/api/v1/pods"),
    items<WorkloadObject>("/apis/apps/v1/deployments"),
    items<WorkloadObject>("/apis/apps/v1/daemonsets"),
    ...leaderNames.map((name) => get<LeaseObject>(`${leasesPath}/${name}`)),
  ]);
  const named = Object.fromEntries(leaderNames.map((name, index) => [name, leases[index]]));
  const workloads = both(ofKind("Deployment", deployments), ofKind("DaemonSet", daemonSets));
  return { nodes, pods, workloads, leases: named as ClusterState["leases"] };
}

/** What is known of a cluster that does not answer. */
export const withoutAnswers = (reason: string): ClusterState => ({
  ...{ nodes: { reason }, pods: { reason }, workloads: { reason } },
  leases: Object.fromEntries(leaderNames.map((name) => [name, { reason }])) as ClusterState["leases"],
});

const leasesPath = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases`;

/** One answer of the API, or the reason that there is none. */
export async function ask<T>(api: ApiClient, path: string): Promise<Told<T>> {
  try {
    const { status, text } = await api.request("GET", path, undefined, TIMEOUT_MS);
    if (status !== 200) return { reason: `the API responds with status ${status}` };
    return { value: JSON.parse(text) as T };
  } catch (error) {
    return { reason: `the API does not respond: ${(error as Error).message}` };
  }
}

/** Items of a list have no kind of their own. */
const ofKind = (
  kind: WorkloadObject["kind"],
  told: Told<readonly WorkloadObject[]>,
): Told<readonly WorkloadObject[]> =>
  "value" in told ? { value: told.value.map((item) => ({ ...item, kind })) } : told;

function both<T>(one: Told<readonly T[]>, other: Told<readonly T[]>): Told<readonly T[]> {
  if ("reason" in one) return one;
  return "reason" in other ? other : { value: [...one.value, ...other.value] };
}

const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some((one) => one.type === type && one.status === "True") ?? false;

export const isReady = (object: NodeObject | PodObject): boolean => isTrue(object.status.conditions, "Ready");

const pressures = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
export const isFenced = ({ spec }: NodeObject): boolean =>
  spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;

export function readNodes({ nodes }: ClusterState, inventory: readonly InventoryEntry[]): readonly Finding[] {
  const entries = inventory.filter((entry) => isClusterNode(storedRoles(entry)));
  const planned = entries.map(({ name }) => name);
  const working = entries.filter((entry) => isWorkingMaster(storedRoles(entry))).map(({ name }) => name);
  if ("reason" in nodes) return planned.map((name) => unknown(name, nodes.reason));
  const present = new Map(nodes.value.map((node) => [node.metadata.name, node] as const));
  const findings = planned.map((name) => {
    const node = present.get(name);
    if (node === undefined) return unhealthy(name, "has no Node in the cluster");
    const pressed = pressures.filter((type) => isTrue(node.status.conditions, type));
    if (!isReady(node)) return unhealthy(name, "is not Ready");
    if (isFenced(node)) return unhealthy(name, "is Ready and still fenced: no pods are placed on it");
    if (node.spec?.unschedulable) return unhealthy(name, "is cordoned: no pods are placed on it");
    if (working.includes(name) && node.spec?.taints?.some(({ key }) => key === nodeMarks.controlPlane))
      return unhealthy(name, `has the taint ${nodeMarks.controlPlane}, although it is a worker too`);
    return pressed.length > 0 ? unhealthy(name, `has ${pressed.join(", ")}`) : healthy(name, "Ready");
  });
  const others = [...present.keys()].filter((name) => !planned.includes(name));
  return [...findings, ...others.map((name) => unhealthy(name, "is a Node without a planned machine"))];
}

/**
 * Whether the program works is asked with the pods: this finds the Nodes that have no pod of it, and those whose rules were
 * deleted.
 *
 * @param rules the findings about the rules of each machine, which count on Nodes with the program
 */
export function readPolicies({ nodes }: ClusterState, rules: readonly Finding[]): readonly Finding[] {
  if ("reason" in nodes) return rules.map(({ of }) => unknown(of, nodes.reason));
  return nodes.value.map(({ metadata: { name, labels = {} } }) => {
    const has = Object.entries(networkPolicyLabel).every(([label, value]) => labels[label] === value);
    if (!has) return unhealthy(name, "does not enforce NetworkPolicies");
    const found = rules.find(({ of }) => of === name);
    return found === undefined || found.state === "healthy" ? healthy(name, "enforces NetworkPolicies") : found;
  });
}

/** Clocks of machines may differ by so much before the row `clock` says so. */
const TOLERATED_SECONDS = 5;

/** The leader that a lease names, and how long ago it was renewed. */
function leaseHolder(told: Told<LeaseObject>, nowMs: number) {
  if ("reason" in told) return undefined;
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = told.value.spec;
  const renewedMs = Date.parse(renewTime ?? "");
  if (!holderIdentity || Number.isNaN(renewedMs)) return undefined;
  const agoSeconds = Math.round((nowMs - renewedMs) / 1000);
  const name = holderIdentity.replace(/_[0-9a-f-]{36}$/, "");
  return { name, agoSeconds, leads: agoSeconds <= leaseDurationSeconds + TOLERATED_SECONDS };
}

/** Whether it is known which node's component leads, or that none does. */
export const isLeaderKnown = ({ leases }: ClusterState, name: LeaderName): boolean => {
  const told = leases[name];
  return "value" in told || neverLed(told.reason);
};

const neverLed = (reason: string): boolean => /status 404$/.test(reason);

/** The node whose component leads; undefined while none does. */
export function leaderIn({ leases }: ClusterState, name: LeaderName, nowMs: number): string | undefined {
  const holder = leaseHolder(leases[name], nowMs);
  return holder?.leads ? holder.name : undefined;
}

export function readLeaders({ leases }: ClusterState, nowMs: number): readonly Finding[] {
  return leaderNames.map((name) => {
    const told = leases[name];
    if ("reason" in told) {
      return neverLed(told.reason) ? unhealthy(name, "never had a leader") : unknown(name, told.reason);
    }
    const holder = leaseHolder(told, nowMs);
    if (holder === undefined) return unhealthy(name, "has no leader");
    if (holder.leads) return healthy(name, `${holder.name} leads`);
    return unhealthy(name, `its last leader ${holder.name} has been silent for ${holder.agoSeconds} s`);
  });
}
