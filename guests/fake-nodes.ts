import * as path from "node:path";
import { readIfPresent, readJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { fakeStackFolder, machineFolder } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";

/** What simulated nodes and their cluster remember, as files. */

export interface Cluster {
  readonly id: string;
  /** Node name to the generation of the machine that joined. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Names of those that joined, as masters and as machines of etcd. They count also after their machine has vanished. */
  readonly masters?: readonly string[];
  readonly etcd?: readonly string[];
  /** The ids of the present members of etcd, by name. Absent in the records of earlier versions. */
  readonly members?: Readonly<Record<string, string>>;
  /** Names of the Nodes that get no pods. */
  readonly cordoned?: readonly string[];
  /** The ids of the join tokens, with the end of their validity in milliseconds since the epoch. */
  readonly tokens?: Readonly<Record<string, number>>;
}

export interface NodeState {
  readonly order: "none" | "first" | "other" | "join";
  readonly phase: "waiting" | "bootstrapping" | "joining" | "member" | "failed";
  readonly etcdData: boolean;
  readonly error: string;
  /** The id of the token that the node joins with. */
  readonly token?: string;
  /** Of the member of etcd whose data the node has. */
  readonly memberId?: string;
  /** What only tests write to the data of etcd. */
  readonly writes?: readonly string[];
}

export const clusterFile = (stack: string): string => path.join(fakeStackFolder(localHost, stack), "cluster.json");
/** On the machine's disk: it is removed with the machine. */
export const nodeFile = (node: MachineName): string => path.join(machineFolder(localHost, node), "node.json");

export const readCluster = ({ stack }: MachineName) => readJson<Cluster>(clusterFile(stack));
export const readNode = async (node: MachineName): Promise<NodeState> =>
  (await readJson<NodeState>(nodeFile(node))) ?? { order: "none", phase: "waiting", etcdData: false, error: "" };

/** The version of Kubernetes of a node's image. Only seeds of masters and of machines of etcd contain it; they come with the disk. */
export async function releaseOf(node: MachineName): Promise<string> {
  const seed = await readIfPresent(path.join(machineFolder(localHost, node), "seed", "user-data"));
  return /kubernetesVersion: "?v([\d.]+)/.exec(seed ?? "")?.[1] ?? "0.0.0";
}
