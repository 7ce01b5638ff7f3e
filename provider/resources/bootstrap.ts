import type { ConnectGuest, Guest } from "../../guests/guest";
import { formerResourceNames } from "../../model/former-names";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { BootstrapInputs, BootstrapMember, BootstrapOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { UNKNOWN } from "../rpc/property-values";
import { type Context, PartialFailure } from "../rpc/resource-handler";
import { type ClusterStatus, clusterStatus, livingMaster, mustRun, waitForMember } from "./cluster-command";
import { bootedGuest, inGuest } from "./guest-waiting";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const READ_TIMEOUT_MS = 10_000;

/** The one-time start of a cluster on the stack's first masters. Never resets anything. */
export function bootstrapResource(connect: ConnectGuest): TypedResource<BootstrapInputs, BootstrapOutputs> {
  return {
    schema: {
      description: "The one-time start of a cluster on its first masters.",
      inputs: {
        stack: schemas.stack,
        members: schemas.list(schemas.bootstrapMember, "The stack's masters."),
        rebootstrap: schemas.flag("Start a new, empty cluster when the data of every master is gone."),
      },
      outputs: {
        bootstrappedWith: schemas.list(schemas.text(), "Names of the masters that bootstrapped the cluster."),
        clusterId: schemas.text("UID of the kube-system namespace."),
      },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: true,
    formerProperties: formerResourceNames.Bootstrap.properties,

    async create(inputs, preview, context) {
      const id = `${inputs.stack}/bootstrap`;
      if (preview) return { id, outputs: { ...inputs, bootstrappedWith: UNKNOWN, clusterId: UNKNOWN } };
      // The masters may have data that the state does not contain: after an interrupted bootstrap or a loss of the state.
      const masters = await lookAt(connect, inputs.members, context);
      return { id, outputs: await give(taking(masters), connect, inputs, context) };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      if (await hasData(connect, olds.inputs.members, context)) return olds;
      // The masters may only be stopped: `update` decides once they run again.
      const state = olds as unknown as { inputs: Properties; outputs: Properties };
      throw new PartialFailure("no master with the cluster's data responds", { id, ...state });
    },

    async update(_id, inputs, { outputs }, preview, context) {
      const { bootstrappedWith, clusterId } = outputs;
      if (preview) return { ...inputs, bootstrappedWith, clusterId };
      const masters = await lookAt(connect, inputs.members, context);
      if (masters.some(({ status }) => status.etcdData)) {
        if (!masters.some(isUnfinished)) return { ...inputs, bootstrappedWith, clusterId };
        return give(taking(masters), connect, inputs, context);
      }
      if (!inputs.rebootstrap) throw dataGone(inputs.stack);
      context.log("warning", "the cluster's data is gone on every master: bootstrapping a new, empty cluster");
      return give(masters, connect, inputs, context);
    },

    async delete() {
      // The cluster is removed with its machines.
    },
  };
}

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

/** Starts all masters in parallel, waits for all of them, and records which took part. */
async function give(
  masters: readonly Master[],
  connect: ConnectGuest,
  inputs: BootstrapInputs,
  context: Context,
): Promise<BootstrapOutputs> {
  // An interrupted bootstrap keeps its first master; there is exactly one.
  const first = masters.find(({ status }) => status.order === "first") ?? masters[0];
  const initialCluster = masters
    .map(({ member }) => `${member.name}=https://${member.address}:${ports.etcdPeer}`)
    .join(",");
  await Promise.all(
    masters.map(async (master) => {
      const { member } = master;
      const order = master === first ? "first" : "other";
      const argv = [guestCommand("bootstrap-cluster"), order, initialCluster] as const;
      const connectNode = connecting(connect, member, context);
      await inGuest(connectNode, (guest) => mustRun(guest, argv, `start the cluster on ${member.name}`, context));
      await waitForMember(connectNode, member.name, context);
    }),
  );
  const alive = await livingMaster(
    connect,
    masters.map(({ member }) => member),
    context,
  );
  if (!alive)
    throw new UserError("no-master", "the cluster was bootstrapped, but no master responds", "run `up` again");
  return { ...inputs, bootstrappedWith: masters.map(({ member }) => member.name), clusterId: alive.clusterId };
}

/** True as soon as one master reports data of the cluster. */
async function hasData(connect: ConnectGuest, members: readonly BootstrapMember[], context: Context): Promise<boolean> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
  const attempts = members.map(async ({ connection }) => {
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

const dataGone = (stack: string): UserError =>
  new UserError(
    "cluster-data-gone",
    `no master of ${stack} has the cluster's data`,
    `restore a backup of etcd into ${guestPaths.etcdData} of one master (\`etcdutl snapshot restore\`) and run \`up\` ` +
      "again, or set options.rebootstrap to true to start a new, empty cluster",
  );
