import type { ConnectGuest, Guest } from "../../guests/guest";
import type { Hypervisor, MachineState, Owner } from "../../hypervisors/hypervisor";
import { guestCommand } from "../../model/guest-paths";
import type { NodeImageInputs } from "../../model/node-image-types";
import { ports } from "../../model/ports";
import type { BootstrapInputs, BootstrapMember } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { clusterStatus, mustRun, waitForMember } from "./cluster-command";
import { bootedGuest, inGuest, progress, readyGuest } from "./guest-waiting";
import { giveBackForChecks } from "./kept-from-disk";
import { noteLeft, readLeft } from "./left-members";
import { hasMovedData, noteSourceGone, noteStopped, putData, takeData } from "./moved-etcd";

/**
 * A master that is the only member of etcd moves to another system disk with its data. The former disk may return until the new one is
 * ordered to start the cluster, because nothing has accepted a write meanwhile. The note of a member that has left is written just before: from
 * then on the new disk may have acknowledged writes, and the former one must never run again.
 */
export const isOnlyMember = ({ alone = [] }: NodeImageInputs): boolean => alone.includes("etcd");

/** The same as the bootstrap sees it, when it has left its former disk. Everything that asks the API waits for its start. */
export async function leftAlone({ stack, members, etcd, witness = [] }: BootstrapInputs) {
  const [member, ...others] = etcd === undefined ? [...members, ...witness] : [];
  const left = member && others.length === 0 ? await readLeft({ stack, name: member.name }) : undefined;
  return member && left && { member, from: left.from };
}

/** Whether it has left, and has started the cluster from its other disk now. */
export async function completeMove(connect: ConnectGuest, inputs: BootstrapInputs, context: Context): Promise<boolean> {
  const moved = await leftAlone(inputs);
  if (moved !== undefined) await startFromMovedData(connect, moved.member, inputs.stack, moved.from, context);
  return moved !== undefined;
}

/**
 * What precedes the exchange of the system disk of a member of etcd for one of the image. The driver would put back a disk that is aside,
 * which must not run when its member has left. The only member takes its data from the disk that it has now.
 */
export async function freeDisks(
  connect: ConnectGuest,
  hypervisor: Hypervisor,
  inputs: NodeImageInputs,
  owner: Owner,
  image: string,
  context: Context,
): Promise<void> {
  const present = await hypervisor.inspectMachine({ stack: inputs.stack, name: inputs.node });
  if (present === undefined || present.spec.image === image) return;
  if (isOnlyMember(inputs)) await takeFromPresentDisk(connect, inputs, present, context);
  const { spec, formerImage } = present;
  if (formerImage === undefined || !(await readLeft(spec))) return;
  if (formerImage === image || isOnlyMember(inputs)) await hypervisor.systemDisks?.dropFormerSystemDisk(spec, owner);
}

async function takeFromPresentDisk(
  connect: ConnectGuest,
  { node, connection }: NodeImageInputs,
  { spec }: MachineState,
  context: Context,
): Promise<void> {
  const connectNode = (): Promise<Guest> => bootedGuest(connect, connection, node, context);
  const { order } = await inGuest(connectNode, (guest) => clusterStatus(guest, context));
  // It has never started the cluster.
  if (order === "none" && (await readLeft(spec)) && (await hasMovedData(spec))) return noteSourceGone(spec);
  progress(context, node)("stopping the control plane and taking the data of etcd");
  await noteStopped(spec, spec.image);
  await inGuest(connectNode, (guest) => takeData(guest, spec, context));
}

/** On its new disk: the cluster starts, and pods of the present add-ons can. */
export async function startAlone(
  connect: ConnectGuest,
  inputs: NodeImageInputs,
  former: string,
  context: Context,
): Promise<void> {
  const { stack, node, connection, masters } = inputs;
  for (const self of masters) await startFromMovedData(connect, self, stack, former, context);
  await giveBackForChecks(() => bootedGuest(connect, connection, node, context), inputs, context);
}

/**
 * Starts the cluster with the data that its machine has brought along. Every step may be killed and repeated.
 *
 * @param former the image of the disk that the data come from
 */
async function startFromMovedData(
  connect: ConnectGuest,
  { name, address, connection }: BootstrapMember,
  stack: string,
  former: string,
  context: Context,
): Promise<void> {
  const machine = { stack, name };
  const connectNode = (): Promise<Guest> => bootedGuest(connect, connection, name, context);
  const { phase, order, etcdData } = await inGuest(connectNode, (guest) => clusterStatus(guest, context));
  if (phase === "member") return;
  if (order === "none") {
    await readyGuest(connect, connection, name, context);
    if (await hasMovedData(machine)) {
      progress(context, name)("writing the data of etcd");
      await inGuest(connectNode, (guest) => putData(guest, machine, context));
    } else if (!etcdData) throw dataMissing(name);
  }
  const start = [guestCommand("bootstrap-cluster"), "first", `${name}=https://${address}:${ports.etcdPeer}`] as const;
  await inGuest(connectNode, async (guest) => {
    if (!(await readLeft(machine))) await noteLeft(machine, { from: former });
    // A cancellation between the note and the order would leave a cluster without a way back and without a start.
    const withoutEnd = { ...context, signal: new AbortController().signal };
    await mustRun(guest, start, `start the cluster on ${name}`, withoutEnd);
  });
  await waitForMember(connectNode, name, context);
}

const dataMissing = (name: string): UserError =>
  new UserError(
    "etcd-data-missing",
    `${name} has left its former system disk, and the data of etcd are neither on its disk nor in the stack's folder`,
    "restore a backup: `npx groundplane restore FILE`",
  );
