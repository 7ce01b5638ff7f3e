import type { ConnectGuest, Guest } from "../../guests/guest";
import { forgetGuest } from "../../guests/guest-ssh";
import { isDismantling } from "../../host/dismantling-mark";
import { isRestoring } from "../../host/restore-mark";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { guestCommand } from "../../model/guest-paths";
import type { MembershipInputs, MembershipOutputs } from "../../model/resource-types";
import { isClusterNode, storedRoles } from "../../model/roles";
import { UNKNOWN } from "../rpc/property-values";
import type { Context } from "../rpc/resource-handler";
import { mustRun, waitForMember } from "./cluster-command";
import { requireMaster, waitForNodeReady } from "./cluster-node";
import { withStackLock } from "./guard-record";
import { bootedGuest, inGuest } from "./guest-waiting";
import { admitToken, dropToken, type JoinToken, makeJoinToken } from "./join-token";
import { drainSeconds, leaveCluster } from "./leave-cluster";
import { followRoles, type MasterGuests } from "./master-workloads";
import { presentStatus } from "./removed-node";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** Much longer than a restart of an API server or a move of the floating IP. */
const LEAVE_PATIENCE_MS = 60_000;

/** One node's membership in the cluster. */
export function membershipResource(
  connect: ConnectGuest,
  driverByName: DriverByName,
  patienceMs = LEAVE_PATIENCE_MS,
): TypedResource<MembershipInputs, MembershipOutputs> {
  return {
    schema: {
      description: "One node's membership in the cluster: it joins on creation; deletion drains and removes it.",
      inputs: {
        driver: schemas.driver,
        stack: schemas.stack,
        node: schemas.text(),
        roles: schemas.roles,
        connection: schemas.connection,
        masters: schemas.list(schemas.bootstrapMember, "Masters, any of which can handle the request."),
        generation: schemas.text("The generation of the machine; a new machine joins again."),
        podGraceSeconds: schemas.whole("How long its pods may take to end when it is drained."),
      },
      optional: ["podGraceSeconds"],
      outputs: { clusterId: schemas.text("The cluster that it is a member of.") },
    },
    // A machine is drained before its replacement, and the new machine joins.
    replaceOn: ["stack", "node", "generation"],
    refreshBeforeUpdate: false,

    async create(inputs, preview, context) {
      const id = `${inputs.stack}/${inputs.node}/membership`;
      if (preview) return { id, outputs: { ...inputs, clusterId: UNKNOWN } };
      const clusterId = await joinInTurn(connect, inputs, context);
      await followRoles(guestsOf(connect, inputs, context), inputs.node, undefined, inputs.roles, 0, context);
      return { id, outputs: { ...inputs, clusterId } };
    },

    // Beside the connection, only the roles of a master change.
    async update(_id, inputs, { inputs: before, outputs }, preview, context) {
      const guests = guestsOf(connect, inputs, context);
      const { node, roles } = inputs;
      if (!preview) await followRoles(guests, node, storedRoles(before), roles, drainSeconds(inputs), context);
      return { ...inputs, clusterId: outputs.clusterId };
    },

    async delete(_id, { inputs, outputs }, context) {
      if (isDismantling(inputs.stack) || (await isRestored(driverByName, inputs))) return;
      await leaveCluster({ connect, driverByName, patienceMs }, inputs, outputs.clusterId, context);
      // Its machine is removed next; its successor has the same address and key.
      forgetGuest(inputs.connection);
    },
  };
}

/** A restored cluster knows the new machine by the name of the former one. */
async function isRestored(driverByName: DriverByName, { driver, stack, node, generation }: MembershipInputs) {
  if (!isRestoring(stack)) return false;
  return (await driverByName(driver).inspectMachine({ stack, name: node }))?.generation !== generation;
}

/** etcd adds one member at a time and removes none meanwhile. */
export const joinInTurn = (connect: ConnectGuest, inputs: MembershipInputs, context: Context): Promise<string> =>
  inputs.roles.includes("etcd")
    ? withStackLock(inputs.stack, () => join(connect, inputs, context))
    : join(connect, inputs, context);

/** Returns the id of the cluster. */
async function join(connect: ConnectGuest, inputs: MembershipInputs, context: Context): Promise<string> {
  const { node, connection } = inputs;
  const connectNode = (): Promise<Guest> => bootedGuest(connect, connection, node, context);
  const { phase, order, etcdData } = await presentStatus(connect, inputs, connectNode, context);
  const bootstraps = order === "first" || order === "other";
  const isNode = isClusterNode(inputs.roles);
  if (!isNode && phase !== "member" && !bootstraps) await orderToJoinEtcd(inputs, connectNode, context);
  if (phase === "member" || bootstraps || !isNode) await waitForMember(connectNode, node, context);
  // One whose join has failed may be a member of etcd, too.
  else await joinWithToken(connect, inputs, connectNode, phase === "joining" || etcdData, context);
  return isNode
    ? waitForNodeReady(connect, inputs, context)
    : (await requireMaster(connect, inputs, context)).clusterId;
}

/** An etcd machine needs no token: the others know it by its certificate, and it removes an earlier member of its name. */
const orderToJoinEtcd = (inputs: MembershipInputs, connectNode: () => Promise<Guest>, context: Context) =>
  inGuest(connectNode, (guest) =>
    mustRun(guest, [guestCommand("join-cluster")], `tell ${inputs.node} to join etcd`, context),
  );

/** With a token of its own, which is deleted afterwards. */
async function joinWithToken(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  connectNode: () => Promise<Guest>,
  joining: boolean,
  context: Context,
): Promise<void> {
  const token = makeJoinToken();
  try {
    await orderToJoin(connect, inputs, connectNode, joining, token, context);
    await waitForMember(connectNode, inputs.node, context);
  } finally {
    await dropToken(token, connect, inputs.masters, context);
  }
}

async function orderToJoin(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  connectNode: () => Promise<Guest>,
  joining: boolean,
  token: JoinToken,
  context: Context,
): Promise<void> {
  const { node } = inputs;
  const connectMaster = async (): Promise<Guest> => (await requireMaster(connect, inputs, context)).guest;
  await inGuest(connectMaster, async (master) => {
    // A node that has begun to join may already be an etcd member: remove only the remains of an earlier machine.
    if (!joining) await mustRun(master, [guestCommand("forget-node"), node], `remove the former ${node}`, context);
    await admitToken(token, master, context);
  });
  const join = [guestCommand("join-cluster")] as const;
  const { stdin } = token;
  await inGuest(connectNode, (guest) => mustRun(guest, join, `tell ${node} to join`, context, { stdin }));
}

const guestsOf = (connect: ConnectGuest, inputs: MembershipInputs, context: Context): MasterGuests => ({
  onNode: () => bootedGuest(connect, inputs.connection, inputs.node, context),
  onMaster: async () => (await requireMaster(connect, inputs, context)).guest,
});
