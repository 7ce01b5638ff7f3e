import type { ConnectGuest } from "../../guests/guest";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { MembershipInputs } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";
import { mustRun } from "./cluster-command";
import { bootedGuest, deadlineMs, inGuest } from "./guest-waiting";
import { joinInTurn } from "./membership";

/** A node with a new disk joins again. Where the authority of the cluster was replaced, what it joins by also has the former one. */
export async function rejoin(
  connect: ConnectGuest,
  membership: MembershipInputs,
  { node, connection, masters, afterJoin }: NodeImageInputs,
  context: Context,
): Promise<void> {
  if (masters.length === 0) return;
  await joinInTurn(connect, membership, context);
  if (afterJoin === undefined) return;
  const [program = "", ...words] = afterJoin.command;
  const connectNode = () => bootedGuest(connect, connection, node, context);
  await inGuest(connectNode, async (guest) => {
    await guest.writeFiles(afterJoin.files, context.signal);
    const limits = { timeoutMs: deadlineMs(context) };
    await mustRun(guest, [program, ...words], `complete the join of ${node}`, context, limits);
  });
}
