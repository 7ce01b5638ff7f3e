import { localHost } from "../host/local-host";
import { type MachineRecord, readMachine } from "../hypervisors/fake/fake-store";

/** Which nodes of a simulated cluster are masters: as recorded at their join, or as their machines say. */

export const isMaster = (machine: MachineRecord | undefined): boolean =>
  machine?.made?.spec.roles?.includes("master") === true;

/** A member of etcd that is no master: it joins without a token. */
export const isEtcdMachine = (machine: MachineRecord | undefined): boolean =>
  machine?.made?.spec.roles?.includes("etcd") === true && !isMaster(machine);

export const hasEtcd = (machine: MachineRecord | undefined): boolean =>
  machine?.made?.spec.roles?.includes("etcd") === true;

interface Members {
  readonly nodes: Readonly<Record<string, string>>;
  readonly masters?: readonly string[];
  readonly etcd?: readonly string[];
  readonly members?: Readonly<Record<string, string>>;
}

/** In the records of earlier versions the masters, unless etcd has machines of its own. */
export async function etcdMembersOf(cluster: Members, stack: string): Promise<readonly string[]> {
  const { etcd = [], nodes, members } = cluster;
  if (members) return Object.keys(members);
  return etcd.length > 0 ? etcd.filter((name) => nodes[name] !== undefined) : mastersOf(cluster, stack);
}

export async function mastersOf({ nodes, masters = [] }: Members, stack: string): Promise<readonly string[]> {
  const names = Object.keys(nodes);
  const machines = await Promise.all(names.map((name) => readMachine(localHost, { stack, name })));
  return names.filter((name, index) => masters.includes(name) || isMaster(machines[index]));
}
