import type { ConnectGuest } from "../../guests/guest";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { Context } from "../rpc/resource-handler";
import { clusterStatus } from "./cluster-command";
import { bootedGuest, deadlineMs, inGuest, readyGuest } from "./guest-waiting";
import { noteLeft, readLeft } from "./left-members";
import type { RollHealth } from "./roll-health";

/** How long a cluster that was healthy before may take to look healthy again. */
export const GATE_MS = 120_000;

/**
 * A member of etcd joins as a new one, and gets the data from the others. Until then it only was away, and may return to its former disk.
 * So it leaves when the new disk works, and the others can do without it.
 *
 * @param former the image of its former disk
 */
export async function leaveEtcd(
  connect: ConnectGuest,
  { stack, node, connection }: NodeImageInputs,
  health: RollHealth,
  former: string,
  context: Context,
): Promise<void> {
  const connectNode = () => bootedGuest(connect, connection, node, context, GATE_MS);
  const { phase, order } = await inGuest(connectNode, (guest) => clusterStatus(guest, context));
  // It has begun to join from this disk.
  if (phase === "member" || order !== "none") return;
  await readyGuest(connect, connection, node, context);
  await health.ofOtherMembers(Math.min(GATE_MS, deadlineMs(context)));
  const machine = { stack, name: node };
  if (!(await readLeft(machine))) await noteLeft(machine, { from: former });
}
