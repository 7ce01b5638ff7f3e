import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest } from "../../guests/guest";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { guestCommand } from "../../model/guest-paths";
import type { BootstrapMember, MembershipInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, type LivingMaster, livingMaster, mustRun } from "./cluster-command";
import { isOnItsWay, oneByOne, refuseUnsafeLoss, setOnItsWay } from "./guard-record";
import { progress, reasonOf } from "./guest-waiting";

const DRAIN_SECONDS = 120;
const POLL_MS = 2_000;

export interface Surroundings {
  readonly connect: ConnectGuest;
  readonly driverByName: DriverByName;
  /** How long a cluster whose masters run may be without an answer before the node goes without it. */
  readonly patienceMs: number;
}

/**
 * Drains a node and has the cluster forget it. Tolerates a dead node, and a cluster that is not there any more. Masters
 * leave one after the other, and only while the others can go on without them.
 */
export function leaveCluster(
  surroundings: Surroundings,
  inputs: MembershipInputs,
  clusterId: string,
  context: Context,
): Promise<void> {
  const { driver, stack, node: name, generation } = inputs;
  if (inputs.role !== "master") return leave(surroundings, inputs, clusterId, context);
  return oneByOne(stack, async () => {
    const hypervisor = surroundings.driverByName(driver);
    const present = await hypervisor.inspectMachine({ stack, name });
    // Of a machine that is lost already, or made anew, only the traces go.
    const isLoss = present?.generation === generation && !isOnItsWay({ stack, name });
    if (isLoss) await refuseUnsafeLoss(hypervisor, { stack, name });
    await leave(surroundings, inputs, clusterId, context);
    if (isLoss) setOnItsWay({ stack, name });
  });
}

async function leave(
  surroundings: Surroundings,
  inputs: MembershipInputs,
  clusterId: string,
  context: Context,
): Promise<void> {
  // The only master takes the cluster along: there is nobody to tell.
  if (others(inputs).length === 0) return;
  const witness = await answeringMaster(surroundings, inputs.masters, inputs, context);
  if (!witness) return goUnnoticed(surroundings, inputs, context);
  // After a rebootstrap the same name may stand for a new machine in the new cluster.
  if (witness.clusterId !== clusterId) return;
  const present = await controlPlaneOf(witness, context);
  const staying = others(inputs).filter(({ name }) => present.includes(name));
  // The others have left before it, as when a stack is taken down without a dismantling: the last goes as the only one.
  if (inputs.role === "master" && staying.length === 0) return;
  // A master that has left may still answer, through the floating IP, but has no etcd to remove a member from.
  const master = await answeringMaster(surroundings, staying, inputs, context);
  if (!master) return goUnnoticed(surroundings, inputs, context);
  if (inputs.role === "master") await quorumWithout(master, inputs, surroundings.patienceMs, context);
  await drain(master, inputs, context);
  const forget = [guestCommand("forget-node"), inputs.node] as const;
  await mustRun(master.guest, forget, `remove ${inputs.node} from the cluster`, context, { timeoutMs: 60_000 });
}

const others = ({ masters, node }: MembershipInputs): readonly BootstrapMember[] =>
  masters.filter(({ name }) => name !== node);

/** Waits for an answer only while there is somebody to give it. */
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
    show("waiting for a master that answers");
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
 * A worker's leftover Node object is harmless: its pods move after a while, and a new machine of the name has it
 * removed. A master's etcd member is not: it counts for the quorum of a cluster that may come back, so the master stays
 * unless there is no machine that the cluster could come back on.
 */
async function goUnnoticed(surroundings: Surroundings, inputs: MembershipInputs, context: Context): Promise<void> {
  const { node, role, stack } = inputs;
  const running = await runningOf(others(inputs), surroundings, inputs);
  if (role === "master" && running.length > 0) throw clusterSilent(node);
  const why = running.length > 0 ? "no master answers" : `no other master of ${stack} runs`;
  context.log("warning", `${node} goes without being drained, and the cluster is not told: ${why}`);
}

const clusterSilent = (node: string): UserError =>
  new UserError(
    "no-master",
    `${node} cannot leave the cluster: the other masters run, but none answers for the cluster`,
    "see `npx groundplane status` and run it again when a master works; `npx groundplane destroy` takes all away as it is",
  );

/** Waits until etcd can do without the master; one that has just joined or left needs a moment to settle. */
async function quorumWithout(
  { guest }: LivingMaster,
  { node }: MembershipInputs,
  patienceMs: number,
  context: Context,
): Promise<void> {
  const end = Date.now() + patienceMs;
  const show = progress(context, node);
  for (;;) {
    const argv = [guestCommand("may-leave"), node];
    const result = await guest.run(argv, { signal: context.signal, timeoutMs: 60_000 });
    if (result.code === 0) return;
    if (Date.now() >= end) throw quorumAtRisk(node, reasonOf(result));
    show(reasonOf(result));
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

const quorumAtRisk = (node: string, reason: string): UserError =>
  new UserError(
    "quorum-at-risk",
    `${node} must not leave the cluster now: ${reason}`,
    "take the change back and run `up` until all masters work, then try again; see `npx groundplane status`",
  );

async function controlPlaneOf({ guest }: LivingMaster, context: Context): Promise<readonly string[]> {
  const list = ["get", "nodes", "--selector=node-role.kubernetes.io/control-plane", "--output=name"];
  const names = await mustRun(guest, ["kubectl", KUBECONFIG, ...list], "list the cluster's masters", context);
  return names.split("\n").map((name) => name.replace(/^node\//, ""));
}

async function drain({ guest }: LivingMaster, { node }: MembershipInputs, context: Context): Promise<void> {
  const show = progress(context, node);
  show("draining");
  const drained = await guest.run([guestCommand("drain-node"), node, String(DRAIN_SECONDS)], {
    signal: context.signal,
    timeoutMs: (DRAIN_SECONDS + 30) * 1000,
    onLine: show,
  });
  // Pods that do not go in time must not keep a node in the cluster for ever.
  if (drained.code !== 0) context.log("warning", `${node} was not drained completely; it leaves all the same`);
}
