import { type HealthCheckName, healthCheckNames } from "../../model/health-checks";
import type { InventoryEntry } from "../../model/stack-outputs";
import type { UnfinishedSnapshot } from "../../model/stack-snapshots";
import { type AddOnState, readMetrics, readRegistry, readServiceAddresses } from "./add-on-answers";
import { readBackups } from "./backup-answers";
import {
  nginxIsSilent,
  readApiServer,
  readBackends,
  readCorosync,
  readHolders,
  readPacemaker,
} from "./balancing-answers";
import { readAwaitingFence, readPods } from "./cluster-pods";
import { type ClusterState, readLeaders, readNodes, readPolicies } from "./cluster-state";
import { readAlarms, readLeader, readLearners, readMembers, readSize } from "./etcd-answers";
import { readEtcdDisk } from "./etcd-disk-answers";
import type { Finding, HealthRow, MachineAnswers, ReadAnswer } from "./findings";
import { healthy, makeRow, readAnswers, unhealthy, unknown } from "./findings";
import { readFirewall, readPolicyRules } from "./firewall-answers";
import * as machine from "./machine-answers";
import type { Question } from "./questions";
import { readBricks, readHeals, readSplitBrain } from "./volume-answers";

/** Everything that was asked of a stack. */
export interface StackAnswers {
  readonly inventory: readonly InventoryEntry[];
  readonly machines: readonly MachineAnswers[];
  /** The answers about the volume, of the one storage machine that was asked; absent without storage machines. */
  readonly volume: MachineAnswers | undefined;
  readonly cluster: ClusterState;
  readonly addOns: AddOnState;
  /** Why machines do not run, where that is known. */
  readonly unfinished: UnfinishedSnapshot | undefined;
  readonly objects: readonly Finding[];
  readonly apiEndpoint: string;
  /** The end of the certificate in the administrator's kubeconfig. */
  readonly administratorEndMs: number;
  /** The cluster's authority in the kubeconfig, and its end. */
  readonly authority: { readonly name: string; readonly endMs: number };
  readonly nowMs: number;
}

type Find = (stack: StackAnswers) => readonly Finding[];

const each =
  (question: Question, read: ReadAnswer): Find =>
  ({ machines }) =>
    readAnswers(machines, question, read);

const ofMachines =
  (find: (machines: readonly MachineAnswers[]) => readonly Finding[]): Find =>
  ({ machines }) =>
    find(machines);

const ofVolume =
  (question: Question, read: (nameOf: (address: string) => string) => ReadAnswer): Find =>
  ({ volume, inventory }) => {
    const nameOf = (address: string): string => inventory.find((entry) => entry.address === address)?.name ?? address;
    return volume === undefined ? [] : readAnswers([volume], question, read(nameOf));
  };

const mastersOf = ({ machines }: StackAnswers): readonly string[] =>
  machines.filter(({ roles }) => roles.includes("master")).map(({ name }) => name);

/** How each row is read. */
const findings: Readonly<Record<HealthCheckName, Find>> = {
  power: ({ machines, unfinished }) => {
    const why = unfinished ? `: ${describeUnfinished(unfinished)}` : "";
    return machines.map(({ name, power }) =>
      power === "running" ? healthy(name, "is running") : unhealthy(name, `is ${power}${why}`),
    );
  },
  services: ({ machines }) => {
    const found = readAnswers(machines, "services", machine.readServices);
    const silent = new Set(found.filter(({ state }) => state === "unknown").map(({ of }) => of));
    const stopped = readAnswers(machines, "stopped-units", machine.readStoppedUnits);
    return [...found, ...stopped.filter(({ of }) => !silent.has(of))];
  },
  "failed-units": each("failed-units", machine.readFailedUnits),
  clock: each("clock", machine.readClock),
  "clock-source": each("clock", machine.readClockSource),
  "disk-room": each("disk-room", machine.readDiskRoom),
  certificates: (stack) => [
    ...readAnswers(stack.machines, "certificates", machine.readCertificates(stack.nowMs)),
    kubeconfigCertificate("the administrator's certificate", stack.administratorEndMs, stack.nowMs),
    kubeconfigCertificate(`the cluster's authority ${stack.authority.name}`, stack.authority.endMs, stack.nowMs),
  ],
  firewall: each("firewall", readFirewall),
  api: ({ cluster, apiEndpoint }) => [
    "value" in cluster.nodes ? healthy(apiEndpoint, "answers") : unhealthy(apiEndpoint, cluster.nodes.reason),
  ],
  "api-servers": (stack) => readAnswers(stack.machines, "api-server", readApiServer(stack.nowMs)),
  backends: (stack) => readAnswers(stack.machines, "backends", readBackends(mastersOf(stack))),
  "floating-ip": ofMachines(readHolders),
  corosync: each("corosync", readCorosync),
  pacemaker: ({ machines }) => {
    const balancers = machines.filter(({ roles }) => roles.includes("balancer")).map(({ name }) => name);
    return readAnswers(machines, "pacemaker", readPacemaker(balancers));
  },
  dns: each("dns", machine.readDns),
  dhcp: each("dhcp", machine.readDhcp),
  "etcd-members": ofMachines(readMembers),
  "etcd-learners": ofMachines(readLearners),
  "etcd-leader": ofMachines(readLeader),
  "etcd-alarms": ofMachines(readAlarms),
  "etcd-size": ofMachines(readSize),
  "etcd-disk": ofMachines(readEtcdDisk),
  backups: each("backups", readBackups),
  leaders: ({ cluster, nowMs }) => readLeaders(cluster, nowMs),
  nodes: ({ cluster, inventory }) => readNodes(cluster, inventory),
  pods: ({ cluster, inventory }) => readPods(cluster, inventory),
  "network-policies": ({ cluster, machines }) =>
    readPolicies(cluster, readAnswers(machines, "network-policies", readPolicyRules)),
  metrics: ({ addOns, cluster }) => readMetrics(addOns, cluster),
  "service-addresses": ({ addOns, cluster }) => readServiceAddresses(addOns, cluster),
  registry: ({ addOns, cluster }) => readRegistry(addOns, cluster),
  "lost-pods": ({ cluster }) => readAwaitingFence(cluster),
  "cluster-objects": ({ objects }) => objects,
  bricks: ofVolume("bricks", readBricks),
  heals: ofVolume("heals", readHeals),
  "split-brain": ofVolume("heals", readSplitBrain),
  mounts: each("mounts", machine.readMounts),
};

function kubeconfigCertificate(name: string, endMs: number, nowMs: number): Finding {
  const of = "kubeconfig";
  if (Number.isNaN(endMs)) return unknown(of, `${name.trimEnd()} cannot be read`);
  return (machine.isEnding(endMs, nowMs) ? unhealthy : healthy)(of, `${name} ${machine.describeEnd(endMs, nowMs)}`);
}

export const describeUnfinished = ({ name, change, isInterrupted }: UnfinishedSnapshot): string =>
  `the ${change} of the snapshot ${name} ${isInterrupted ? "was interrupted" : "is under way"}`;

/** A row whose findings are many has a line about all of them. */
const summaries: Partial<Readonly<Record<HealthCheckName, (findings: readonly Finding[]) => string>>> = {
  power: (found) => `${found.length} machines run`,
  services: (found) => `${found.length} machines are ready`,
  certificates: (found) => {
    const ends = found.map(({ of, observed }) => ({
      of,
      observed,
      date: / on (\S+ \S+) UTC/.exec(observed)?.[1] ?? "",
    }));
    const [first] = ends.sort((one, other) => one.date.localeCompare(other.date, "en"));
    return `${found.length} certificates; the first to end: ${first?.of} ${first?.observed}`;
  },
  "clock-source": (found) =>
    (found.find(({ observed }) => observed.startsWith(machine.ownClock)) ?? found[0])?.observed ?? "",
  "disk-room": (found) => `${found.length} file systems`,
  firewall: (found) => `${found.length} machines have the rules of their files`,
  backends: (found) =>
    found.some(({ observed }) => observed.endsWith(nginxIsSilent))
      ? `${found.length} times, a balancer finds a master ready; nginx does not report which masters it uses`
      : `${found.length} connections to masters are up`,
  "api-servers": (found) =>
    found
      .map(({ of, observed }) => `${of} ${observed}`)
      .filter((text) => /certificate/.test(text))
      .join(", "),
  "etcd-size": (found) => found.map(({ of, observed }) => `${of} ${observed}`).join(", "),
  backups: (found) => found.map(({ of, observed }) => `${of}: ${observed}`).join("; "),
  leaders: (found) => found.map(({ of, observed }) => `${of}: ${observed}`).join(", "),
  nodes: (found) => `${found.length} Nodes are Ready`,
  pods: (found) => `${found.length} pods are Ready`,
  "network-policies": (found) => `enforced on ${found.length} Nodes`,
  metrics: (found) => `${found.length} Nodes have metrics`,
  "service-addresses": (found) =>
    found.map(({ of, observed }) => (of === "cluster" ? observed : `${of}: ${observed}`)).join(", "),
  "cluster-objects": (found) => `${found.length} objects`,
  bricks: (found) => `${found.length} bricks are served`,
};

/** All rows, in the order of the table. */
export const healthRows = (stack: StackAnswers): readonly HealthRow[] =>
  healthCheckNames.map((check) => {
    const found = findings[check](stack);
    return makeRow(check, found, summaries[check]?.(found));
  });

/** What the data centre promises is healthy. */
export const areHealthy = (rows: readonly HealthRow[]): boolean =>
  rows.every(({ promised, state }) => !promised || state === "healthy" || state === "inapplicable");
