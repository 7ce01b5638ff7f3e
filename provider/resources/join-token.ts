import { randomBytes } from "node:crypto";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { guestCommand } from "../../model/guest-paths";
import type { BootstrapMember } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, livingMaster, mustRun } from "./cluster-command";
import { deadlineMs, inGuest } from "./guest-waiting";

/** A bootstrap token of one join. It is in no state, and passes through standard input only. */
export interface JoinToken {
  /** Public: part of the name of the token's Secret. */
  readonly id: string;
  readonly stdin: string;
}

export function makeJoinToken(): JoinToken {
  const id = randomText(6);
  return { id, stdin: `${id}.${randomText(16)}\n` };
}

/** Lower-case letters and digits, as required for bootstrap tokens. */
function randomText(length: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567"; // 32 characters, so that a byte modulo 32 is unbiased
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** Valid for as long as the join may take. */
export async function admitToken({ stdin }: JoinToken, master: Guest, context: Context): Promise<void> {
  const minutes = String(Math.ceil(deadlineMs(context) / 60_000));
  await mustRun(master, [guestCommand("renew-token"), minutes], "make a join token", context, { stdin });
}

/** A user who cancels waits less. */
const DROP_TIMEOUT_MS = { joined: 60_000, cancelled: 10_000 };

/** After a join, also a failed or cancelled one. A token that remains expires by itself. */
export async function dropToken(
  { id }: JoinToken,
  connect: ConnectGuest,
  masters: readonly BootstrapMember[],
  context: Context,
): Promise<void> {
  const { cancelled, joined } = DROP_TIMEOUT_MS;
  const own: Context = { ...context, signal: AbortSignal.timeout(context.signal.aborted ? cancelled : joined) };
  const secret = ["--namespace=kube-system", "delete", "secret", `bootstrap-token-${id}`, "--ignore-not-found"];
  const connectMaster = async (): Promise<Guest> => {
    const master = await livingMaster(connect, masters, own);
    if (!master) throw new Error("no master responds");
    return master.guest;
  };
  try {
    await inGuest(connectMaster, (guest) =>
      mustRun(guest, ["kubectl", KUBECONFIG, ...secret], "delete the join token", own),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.log("warning", `the join token ${id} remains until it expires: ${reason}`);
  }
}
