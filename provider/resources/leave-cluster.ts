import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest } from "../../guests/guest";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { guestCommand } from "../../model/guest-paths";
import { evictionSeconds } from "../../model/image-rolls";
import type { NodeImageInputs } from "../../model/node-image-types";
import { poolOf } from "../../model/pool-change";
import type { BootstrapMember, MembershipInputs } from "../../model/resource-types";
import { isClusterNode, storedRoles } from "../../model/roles";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, type LivingMaster, livingMaster, mustRun } from "./cluster-command";
import { isInTransition, markInTransition, refuseUnsafeLoss, withStackLock } from "./guard-record";
import { progress, reasonOf } from "./guest-waiting";

/** The default of the configuration, for the states of earlier revisions. */
const POD_GRACE_SECONDS = 30;
const POLL_MS = 2_000;

export interface Surroundings {
  readonly connect: ConnectGuest;
  readonly driverByName: DriverByName;
  /** How long to wait for a response of a cluster with running masters. */
  readonly patienceMs: number;
}

/**
 * Drains a node and removes it from the cluster. Tolerates a failed node and a cluster that no longer exists. Masters and
 * etcd machines leave one at a time, and members of etcd only while the others keep a quorum.
 */
export function leaveCluster(
  surroundings: Surroundings,
  inputs: MembershipInputs,
  clusterId: string,
  context: Context,
): Promise<void> {
  const { driver, stack, node: name, generation } = inputs;
  if (poolOf(storedRoles(inputs)) === undefined) return leave(surroundings, inputs, clusterId, context);
  return withStackLock(stack, async () => {
    const hypervisor = surroundings.driverByName(driver);
    const present = await hypervisor.inspectMachine({ stack, name });
    // For a machine that is already lost or recreated, remove only the traces.
    const isLoss = present?.generation === generation && !isInTransition({ stack, name });
    if (isLoss) await refuseUnsafeLoss(hypervisor, { stack, name });
    await leave(surroundings, inputs, clusterId, context);
    if (isLoss) markInTransition({ stack, name });
  });
}

async function leave(
  surroundings: Surroundings,
  inputs: MembershipInputs,
  clusterId: string,
  context: Context,
): Promise<void> {
  // The cluster ends with its only master, so there is nothing to update.
  if (others(inputs).length === 0) return;
  const witness = await answeringMaster(surroundings, inputs.masters, inputs, context);
  if (!witness) return goUnnoticed(surroundings, inputs, context);
  // After a new bootstrap, the same name may belong to a new machine in the new cluster.
  if (witness.clusterId !== clusterId) return;
  // An etcd machine responds only while it is a member.
  const present = isNode(inputs) ? await controlPlaneOf(witness, context) : undefined;
  const staying = others(inputs).filter(({ name }) => present?.includes(name) ?? true);
  // The others have left already, as when a stack is removed without a dismantling: treat the last master as the only one.
  if (isEtcdMember(inputs) && staying.length === 0) return;
  // A master that has left may still respond through the floating IP, but it has no etcd to remove a member from.
  const master = await answeringMaster(surroundings, staying, inputs, context);
  if (!master) return goUnnoticed(surroundings, inputs, context);
  if (isEtcdMember(inputs)) await quorumWithout(master, inputs, surroundings.patienceMs, context);
  if (isNode(inputs)) await drain(master, inputs, context);
  await forget(master, inputs, surroundings.patienceMs, context);
}

/** etcd refuses changes for some seconds after one of its members has lost a connection. */
async function forget(master: LivingMaster, { node }: MembershipInputs, patienceMs: number, context: Context) {
  const argv = [guestCommand("forget-node"), node] as const;
  for (const end = Date.now() + patienceMs; ; await sleep(POLL_MS, undefined, { signal: context.signal })) {
    try {
      return await mustRun(master.guest, argv, `remove ${node} from the cluster`, context, { timeoutMs: 60_000 });
    } catch (error) {
      if (!/unhealthy cluster/.test(String(error)) || Date.now() > end) throw error;
    }
  }
}

/** Also by the inputs of an earlier revision's state. */
const isEtcdMember = (inputs: MembershipInputs): boolean => storedRoles(inputs).includes("etcd");

/** An etcd machine is none: it has no pods and no Node object. */
const isNode = (inputs: MembershipInputs): boolean => isClusterNode(storedRoles(inputs));
/** Those that it leaves. */
const peersOf = (inputs: MembershipInputs): string => (isNode(inputs) ? "master" : "etcd machine");

const others = ({ masters, node }: MembershipInputs): readonly BootstrapMember[] =>
  masters.filter(({ name }) => name !== node);

/** Waits for a response only while another master runs. */
async function answeringMaster(
  surroundings: Surroundings,
  masters: readonly BootstrapMember[],
  inputs: MembershipInputs,
  context: Context,
): Promise<LivingMaster | undefined> {
  const end = Date.now() + surroundings.patienceMs;
  const show = progress(context, inputs.node);
  for (;;) {
    const running = await runningOf(masters, surroundings, inputs);
    const master = await livingMaster(surroundings.connect, running, context);
    if (master || Date.now() >= end || running.every(({ name }) => name === inputs.node)) return master;
    show(`waiting for a${isNode(inputs) ? " master" : "n etcd machine"} to respond`);
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

async function runningOf(
  masters: readonly BootstrapMember[],
  { driverByName }: Surroundings,
  { driver, stack }: MembershipInputs,
): Promise<readonly BootstrapMember[]> {
  const hypervisor = driverByName(driver);
  const states = await Promise.all(masters.map(({ name }) => hypervisor.inspectMachine({ stack, name })));
  return masters.filter((_, index) => states[index]?.power === "running");
}

/**
 * A stale Node object of a worker is harmless: its pods move after a while, and a new machine of the same name removes it. A
 * stale etcd member is not: it counts for the quorum of a cluster that may recover, so the master stays while any machine
 * exists on which the cluster could recover.
 */
async function goUnnoticed(surroundings: Surroundings, inputs: MembershipInputs, context: Context): Promise<void> {
  const { node, stack } = inputs;
  const running = await runningOf(others(inputs), surroundings, inputs);
  const peer = peersOf(inputs);
  if (isEtcdMember(inputs) && running.length > 0) throw clusterSilent(node, peer);
  const why = running.length > 0 ? `no ${peer} responds` : `no other ${peer} of ${stack} is running`;
  const how = isNode(inputs) ? "without a drain, and its Node object stays" : "and stays a member of etcd";
  context.log("warning", `${node} is removed ${how}: ${why}`);
}

const clusterSilent = (node: string, peer: string): UserError =>
  new UserError(
    "no-master",
    `${node} cannot leave the cluster: the other ${peer}s are running, but none responds`,
    "see `npx groundplane status` and retry when one is healthy; `npx groundplane destroy` removes the whole stack",
  );

/** Waits until etcd keeps its quorum without the master; a member that has just joined or left needs time to settle. */
async function quorumWithout(
  { guest }: LivingMaster,
  inputs: MembershipInputs,
  patienceMs: number,
  context: Context,
): Promise<void> {
  const { node } = inputs;
  const end = Date.now() + patienceMs;
  const show = progress(context, node);
  for (;;) {
    const argv = [guestCommand("may-leave"), node];
    const result = await guest.run(argv, { signal: context.signal, timeoutMs: 60_000 });
    if (result.code === 0) return;
    if (Date.now() >= end) throw quorumAtRisk(node, peersOf(inputs), reasonOf(result));
    show(reasonOf(result));
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

const quorumAtRisk = (node: string, peer: string, reason: string): UserError =>
  new UserError(
    "quorum-at-risk",
    `${node} cannot leave the cluster now: ${reason}`,
    `revert the change and run \`up\` until all ${peer}s are healthy, then try again; see \`npx groundplane status\``,
  );

async function controlPlaneOf({ guest }: LivingMaster, context: Context): Promise<readonly string[]> {
  const list = ["get", "nodes", "--selector=node-role.kubernetes.io/control-plane", "--output=name"];
  const names = await mustRun(guest, ["kubectl", KUBECONFIG, ...list], "list the cluster's masters", context);
  return names.split("\n").map((name) => name.replace(/^node\//, ""));
}

type Drained = Pick<MembershipInputs, "podGraceSeconds"> & Pick<NodeImageInputs, "alongside">;

/** How long a drain of the node may take. */
export const drainSeconds = ({ podGraceSeconds = POD_GRACE_SECONDS, alongside = [] }: Drained): number =>
  evictionSeconds(alongside.length + 1) + podGraceSeconds;

export async function drain(
  { guest }: LivingMaster,
  inputs: Pick<MembershipInputs, "node"> & Drained,
  context: Context,
): Promise<void> {
  const { node } = inputs;
  const seconds = drainSeconds(inputs);
  const show = progress(context, node);
  show("draining");
  const drained = await guest.run([guestCommand("drain-node"), node, String(seconds)], {
    signal: context.signal,
    timeoutMs: (seconds + 30) * 1000,
    onLine: show,
  });
  // Pods that do not terminate in time must not keep a node in the cluster forever.
  if (drained.code !== 0) context.log("warning", `${node} was not drained completely, but leaves`);
}
