import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { LateError, type RunResult, UnreachableError } from "../../guests/guest-ssh";
import { guestCommand } from "../../model/guest-paths";
import type { GuestConnection } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";

/** Waiting for guests: limited by the engine's timeout, ended by a cancellation, with the reason shown as progress. */

const DEFAULT_SECONDS = 600;
const POLL_MS = 400;
/** Time limit of a question, so that a hanging guest does not block what waits for the answer. */
const QUESTION_MS = 30_000;
/** How often an action on a guest is retried after a lost connection. */
const RECONNECTS = 5;

/** Milliseconds for a call: slightly less than the engine's timeout, so that our own error is shown. */
export const deadlineMs = ({ timeoutSeconds }: Context): number =>
  Math.max(1, (timeoutSeconds || DEFAULT_SECONDS) - 5) * 1000;

/** Shows a line as progress, unless it repeats the previous one. */
export function progress({ log }: Context, node: string): (line: string) => void {
  let last = "";
  return (line) => {
    const text = line.trim();
    if (text && text !== last) log("info", `${node}: ${text}`, true);
    last = text;
  };
}

/** The last lines of a node's command as a reason: standard output, then standard error. */
export const reasonOf = ({ stdout, stderr, code }: RunResult): string =>
  (`${stdout}\n${stderr}`.trim() || `exit code ${code}`).split("\n").slice(-4).join("\n");

/** The guest as soon as it is reachable. */
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
 * Runs an idempotent action in the guest and retries it after a lost connection. The gateway's firewall may cut connections
 * that are older than itself, and the loss of a connection to a former machine of the same name takes time to detect.
 */
export async function inGuest<T, Connected = Guest>(
  connectNode: () => Promise<Connected>,
  act: (guest: Connected) => Promise<T>,
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

/**
 * Runs a short command that changes nothing, so that it may be repeated. One that is late counts as lost: the loss of its connection is
 * probably not noticed yet.
 */
export async function ask(
  guest: Guest,
  argv: readonly [string, ...string[]],
  { signal }: Context,
  timeoutMs = QUESTION_MS,
): Promise<RunResult> {
  try {
    return await guest.run(argv, { signal, timeoutMs });
  } catch (error) {
    throw error instanceof LateError ? new UnreachableError(error.message, { cause: error }) : error;
  }
}

/** The guest once all services of its role are ready. Tolerates restarts and lost connections meanwhile. */
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
      const result = await ask(guest, [guestCommand("node-ready")], context);
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
  new UserError("node-unreachable", `${node} does not respond: ${reason}`, `see \`npx groundplane logs ${node}\``);

const notReady = (node: string, reason: string): UserError =>
  new UserError("node-not-ready", `${node} is not ready: ${reason}`, `see \`npx groundplane logs ${node}\``);
