import type { ConnectGuest, Guest } from "../../guests/guest";
import { forgetSnapshot, hasSnapshot } from "../../host/restore-mark";
import { guestCommand } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { BootstrapInputs, BootstrapMember, BootstrapOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { type Properties, UNKNOWN } from "../rpc/property-values";
import { type Context, PartialFailure } from "../rpc/resource-handler";
import { dataGone, reasonToUpdate } from "./bootstrap-reasons";
import { awaitedMaster, type ClusterStatus, clusterStatus, mustRun, waitForMember } from "./cluster-command";
import { bootedGuest, inGuest, progress } from "./guest-waiting";
import { completeMove, leftAlone } from "./only-member";
import { readSignal } from "./read-signal";
import { restoreEtcd } from "./restore-etcd";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** The one-time start of a cluster on the stack's first masters. Never resets anything. */
export function bootstrapResource(connect: ConnectGuest): TypedResource<BootstrapInputs, BootstrapOutputs> {
  return {
    schema: {
      description: "The one-time start of a cluster on its first masters.",
      inputs: {
        stack: schemas.stack,
        members: schemas.list(schemas.bootstrapMember, "The stack's masters."),
        etcd: schemas.list(schemas.bootstrapMember, "The machines of etcd, if it has its own."),
        witness: schemas.list(schemas.bootstrapMember, "A member of etcd beside the masters, if there is one."),
        rebootstrap: schemas.flag("Start a new, empty cluster when the data of every master is gone."),
      },
      optional: ["etcd", "witness"],
      outputs: {
        bootstrappedWith: schemas.list(schemas.text(), "Names of the masters that bootstrapped the cluster."),
        clusterId: schemas.text("UID of the kube-system namespace."),
      },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, context) {
      const id = `${inputs.stack}/bootstrap`;
      if (preview) return { id, outputs: { ...inputs, bootstrappedWith: UNKNOWN, clusterId: UNKNOWN } };
      // The nodes may have data that the state does not contain: after an interrupted bootstrap or a loss of the state.
      return { id, outputs: await give(await lookAtAll(connect, inputs, context), connect, inputs, context) };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      const isThere = await hasData(connect, dataMembers(olds.inputs), context);
      const isMoved = (await leftAlone(olds.inputs)) !== undefined;
      if (isThere && !hasSnapshot(olds.inputs.stack) && !isMoved) return olds;
      // The masters may only be stopped: `update` decides once they run again.
      const state = olds as unknown as { inputs: Properties; outputs: Properties };
      throw new PartialFailure(reasonToUpdate(olds.inputs, isThere, isMoved), { id, ...state });
    },

    async update(_id, inputs, { outputs }, preview, context) {
      const { bootstrappedWith, clusterId } = outputs;
      const same = { ...inputs, bootstrappedWith, clusterId };
      if (preview) return same;
      if (await completeMove(connect, inputs, context)) return same;
      const nodes = await lookAtAll(connect, inputs, context);
      if (mustRestore(inputs, nodes)) return give(nodes, connect, inputs, context);
      if (nodes.withData.some(({ status }) => status.etcdData)) {
        if ([...nodes.withData, ...nodes.masters].some(isUnfinished)) return give(nodes, connect, inputs, context);
        await forgetSnapshot(inputs.stack);
        return same;
      }
      // Masters without their etcd still belong to the former cluster.
      if (!inputs.rebootstrap || inputs.etcd !== undefined) throw dataGone(inputs);
      context.log("warning", "the cluster's data is gone on every master: bootstrapping a new, empty cluster");
      return give(nodes, connect, inputs, context);
    },

    async delete() {
      // The cluster is removed with its machines.
    },
  };
}

/** The nodes that have the cluster's data. */
const dataMembers = ({ members, etcd, witness = [] }: BootstrapInputs): readonly BootstrapMember[] =>
  etcd ?? [...members, ...witness];

interface ClusterNodes {
  readonly masters: readonly Master[];
  /** The same and the witness, unless etcd has machines of its own. */
  readonly withData: readonly Master[];
}

async function lookAtAll(connect: ConnectGuest, inputs: BootstrapInputs, context: Context): Promise<ClusterNodes> {
  const [masters, witness, etcd] = await Promise.all([
    lookAt(connect, inputs.members, context),
    lookAt(connect, inputs.witness ?? [], context),
    inputs.etcd && lookAt(connect, inputs.etcd, context),
  ]);
  return { masters, withData: etcd ?? [...masters, ...witness] };
}

/** Orders come after the data of every member, so a member with an order means that all of them are restored. */
const mustRestore = ({ stack }: BootstrapInputs, { withData }: ClusterNodes): boolean =>
  hasSnapshot(stack) && !withData.some(({ status }) => status.order !== "none");

/** A master, or an etcd machine. */
interface Master {
  readonly member: BootstrapMember;
  readonly status: ClusterStatus;
}

const takesPart = ({ status }: Master): boolean => status.order === "first" || status.order === "other";
const isUnfinished = (master: Master): boolean => takesPart(master) && master.status.phase !== "member";

/** The masters that bootstrap: all of them, unless the cluster exists already; masters that came later join it. */
function taking(masters: readonly Master[]): readonly Master[] {
  return masters.some(({ status }) => status.phase === "member") ? masters.filter(takesPart) : masters;
}

function lookAt(connect: ConnectGuest, members: readonly BootstrapMember[], context: Context): Promise<Master[]> {
  return Promise.all(
    members.map(async (member) => {
      const connectNode = connecting(connect, member, context);
      return { member, status: await inGuest(connectNode, (guest) => clusterStatus(guest, context)) };
    }),
  );
}

const connecting =
  (connect: ConnectGuest, { connection, name }: BootstrapMember, context: Context) =>
  (): Promise<Guest> =>
    bootedGuest(connect, connection, name, context);

/** Starts the members of etcd, then the masters that are none, each kind in parallel, and records which masters took part. */
async function give(
  nodes: ClusterNodes,
  connect: ConnectGuest,
  inputs: BootstrapInputs,
  context: Context,
): Promise<BootstrapOutputs> {
  const [withData, masters] = [taking(nodes.withData), taking(nodes.masters)];
  const initialCluster = withData
    .map(({ member }) => `${member.name}=https://${member.address}:${ports.etcdPeer}`)
    .join(",");
  if (mustRestore(inputs, nodes)) await restoreEtcd(inputs.stack, withData, initialCluster, connect, context);
  await start(withData, initialCluster, connect, context);
  if (inputs.etcd !== undefined) await start(masters, initialCluster, connect, context);
  // Each of them may have joined since, e.g. from another system disk: then none takes part any more.
  const alive = await awaitedMaster(connect, [inputs.members], progress(context, "bootstrap"), context);
  if (!alive)
    throw new UserError("no-master", "the cluster was bootstrapped, but no master responds", "run `up` again");
  await forgetSnapshot(inputs.stack);
  return { ...inputs, bootstrappedWith: masters.map(({ member }) => member.name), clusterId: alive.clusterId };
}

/** Starts them in parallel and waits for all of them. */
async function start(
  nodes: readonly Master[],
  initialCluster: string,
  connect: ConnectGuest,
  context: Context,
): Promise<void> {
  // An interrupted bootstrap keeps its first node; there is exactly one.
  const first = nodes.find(({ status }) => status.order === "first") ?? nodes[0];
  await Promise.all(
    nodes.map(async (node) => {
      const { member } = node;
      const order = node === first ? "first" : "other";
      const argv = [guestCommand("bootstrap-cluster"), order, initialCluster] as const;
      const connectNode = connecting(connect, member, context);
      await inGuest(connectNode, (guest) => mustRun(guest, argv, `start the cluster on ${member.name}`, context));
      await waitForMember(connectNode, member.name, context);
    }),
  );
}

/** True as soon as one node reports data of the cluster. */
async function hasData(connect: ConnectGuest, members: readonly BootstrapMember[], context: Context) {
  const attempts = members.map(async ({ connection }) => {
    const signal = readSignal(connection, context);
    const guest = await connect(connection, { signal });
    if (!(await clusterStatus(guest, { ...context, signal })).etcdData) throw new Error("no data");
  });
  const found = await Promise.any(attempts).then(
    () => true,
    () => false,
  );
  context.signal.throwIfAborted();
  return found;
}
