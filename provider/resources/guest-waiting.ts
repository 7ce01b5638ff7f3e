import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { type RunResult, UnreachableError } from "../../guests/guest-ssh";
import { guestCommand } from "../../model/guest-paths";
import type { GuestConnection } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";

/** Waiting for guests: bounded by the engine's time limit, ended by a cancel, with the reason shown as progress. */

const DEFAULT_SECONDS = 600;
const POLL_MS = 400;
/** One attempt's time; a guest that hangs must not hold up the poll. */
const CHECK_TIMEOUT_MS = 30_000;
/** How often an action on a guest is done anew because its connection was lost meanwhile. */
const RECONNECTS = 5;

/** Milliseconds that a call has: a little less than the engine gives it, so that our own error is the one shown. */
export const deadlineMs = ({ timeoutSeconds }: Context): number =>
  Math.max(1, (timeoutSeconds || DEFAULT_SECONDS) - 5) * 1000;

/** Shows a line as progress, but only when it is news. */
export function progress({ log }: Context, node: string): (line: string) => void {
  let last = "";
  return (line) => {
    const text = line.trim();
    if (text && text !== last) log("info", `${node}: ${text}`, true);
    last = text;
  };
}

/** What a node's command printed at the end, as a reason: what went well, and then what did not. */
export const reasonOf = ({ stdout, stderr, code }: RunResult): string =>
  (`${stdout}\n${stderr}`.trim() || `exit code ${code}`).split("\n").slice(-4).join("\n");

/** The guest as soon as it answers. */
export async function bootedGuest(
  connect: ConnectGuest,
  connection: GuestConnection,
  node: string,
  context: Context,
  waitMs = deadlineMs(context),
): Promise<Guest> {
  const show = progress(context, node);
  show("booting");
  const onWaiting = (reason: string): void => show(`booting (${reason})`);
  try {
    return await connect(connection, { deadlineMs: waitMs, signal: context.signal, onWaiting });
  } catch (error) {
    throw error instanceof UnreachableError ? unanswered(node, error.message) : error;
  }
}

/**
 * Does something in the guest that may be done twice, anew when the connection is lost meanwhile. One that stood before the
 * gateway's firewall did may be cut off by it, and one to an earlier machine of the name takes a while to be known as dead.
 */
export async function inGuest<T>(
  connectNode: () => Promise<Guest>,
  act: (guest: Guest) => Promise<T>,
  onLost: (reason: string) => void = () => {},
): Promise<T> {
  for (let lost = 0; ; lost++) {
    const guest = await connectNode();
    try {
      return await act(guest);
    } catch (error) {
      if (!(error instanceof UnreachableError) || lost >= RECONNECTS) throw error;
      onLost(error.message);
    }
  }
}

/** The guest when all services of its role work. Survives a guest that restarts or loses its connection meanwhile. */
export async function readyGuest(
  connect: ConnectGuest,
  connection: GuestConnection,
  node: string,
  context: Context,
  waitMs = deadlineMs(context),
): Promise<Guest> {
  const end = Date.now() + Math.min(waitMs, deadlineMs(context));
  const show = progress(context, node);
  for (let reason = "no answer"; ; ) {
    const guest = await bootedGuest(connect, connection, node, context, Math.max(0, end - Date.now()));
    try {
      const { signal } = context;
      const result = await guest.run([guestCommand("node-ready")], { signal, timeoutMs: CHECK_TIMEOUT_MS });
      if (result.code === 0) return guest;
      reason = reasonOf(result);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      reason = error.message;
    }
    show(reason);
    if (Date.now() + POLL_MS > end) throw notReady(node, reason);
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

const unanswered = (node: string, reason: string): UserError =>
  new UserError("node-unreachable", `${node} does not answer: ${reason}`, `look at \`npx groundplane logs ${node}\``);

const notReady = (node: string, reason: string): UserError =>
  new UserError("node-not-ready", `${node} is not ready: ${reason}`, `look at \`npx groundplane logs ${node}\``);
