import { type ConnectGuest, FileRefusedError, type Guest, type GuestFile } from "../../guests/guest";
import type { NodeFilesInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { bootedGuest, inGuest, progress, readyGuest, reasonOf } from "./guest-waiting";

/** Longer than a master waits for its API server to restart. */
const RELOAD_TIMEOUT_MS = 240_000;
/** A node that was ready before a reload is ready again within this time, or not at all. */
const SETTLE_MS = 120_000;
/** How long to wait for a node that was ready before, for example when a user broke its files. */
const MEND_AFTER_MS = 60_000;

export interface RollFiles {
  readonly connect: ConnectGuest;
  /** Whether the node starts for the first time, without a time limit. */
  readonly isNew: boolean;
}

/**
 * Writes the differing files of a node and activates them. When the node is ready, the next node of its pool follows.
 * Otherwise the node gets its former files again, and the roll ends.
 *
 * @throws UserError `file-refused`, `reload-failed`
 */
export async function rollFiles({ connect, isNew }: RollFiles, inputs: NodeFilesInputs, context: Context) {
  const { node, connection, files } = inputs;
  const worked = await waitForWork({ connect, isNew }, inputs, context);
  const connectNode = (): Promise<Guest> => bootedGuest(connect, connection, node, context);
  const paths = files.map(({ path }) => path);
  const present = await inGuest(connectNode, (guest) => guest.readFiles(paths, context.signal));
  const changed = files.filter((file, index) => !isEqual(file, present[index]));
  if (changed.length === 0) {
    if (!worked) await readyGuest(connect, connection, node, context, SETTLE_MS);
    return;
  }
  if (!worked) context.log("warning", `${node} is unhealthy; its files are restored nevertheless`);
  const former = present.filter((file) => changed.some(({ path }) => path === file?.path)) as readonly GuestFile[];
  progress(context, node)(`writing ${changed.map(({ path }) => path).join(", ")}`);
  await inGuest(connectNode, (guest) => guest.writeFiles(changed, context.signal)).catch((error: unknown) => {
    throw error instanceof FileRefusedError ? fileRefused(node, error) : error;
  });
  const guest = await connectNode();
  const reloads = [...new Set(changed.map(({ reload }) => reload).filter((reload) => reload !== ""))];
  try {
    for (const reload of reloads) await runReload(guest, node, reload, context);
    await readyGuest(connect, connection, node, context, isNew ? undefined : SETTLE_MS);
  } catch (error) {
    if (context.signal.aborted || !worked) throw error;
    const absent = changed.map(({ path }) => path).filter((path) => !former.some((file) => file.path === path));
    throw reloadFailed(node, error, await takeBack(guest, former, absent, reloads, context));
  }
}

const isEqual = (wanted: GuestFile, present: GuestFile | undefined): boolean =>
  present !== undefined && present.content === wanted.content && present.mode === wanted.mode;

/** Whether the node is ready. A node that was ready before need not be, because its files may be the cause. */
async function waitForWork({ connect, isNew }: RollFiles, inputs: NodeFilesInputs, context: Context): Promise<boolean> {
  const { node, connection } = inputs;
  await bootedGuest(connect, connection, node, context);
  try {
    await readyGuest(connect, connection, node, context, isNew ? undefined : MEND_AFTER_MS);
    return true;
  } catch (error) {
    if (!isNew && error instanceof UserError && error.id === "node-not-ready") return false;
    throw error;
  }
}

async function runReload(guest: Guest, node: string, reload: string, context: Context): Promise<void> {
  progress(context, node)(reload);
  const failure = await failureOf(guest, reload, context);
  if (failure !== undefined) throw new Error(`\`${reload}\` failed: ${failure}`);
}

async function failureOf(guest: Guest, reload: string, { signal }: Context): Promise<string | undefined> {
  const result = await guest.run(["sh", "-c", reload], { signal, timeoutMs: RELOAD_TIMEOUT_MS });
  return result.code === 0 ? undefined : reasonOf(result);
}

/** What failed while restoring the node; empty on success. */
async function takeBack(
  guest: Guest,
  former: readonly GuestFile[],
  absent: readonly string[],
  reloads: readonly string[],
  context: Context,
): Promise<string> {
  try {
    await guest.writeFiles(former, context.signal);
    if (absent.length > 0) await guest.run(["rm", "-f", ...absent], { signal: context.signal });
    const failures = [];
    for (const reload of reloads) failures.push(await failureOf(guest, reload, context));
    return failures.filter((failure) => failure !== undefined).join("; ");
  } catch (error) {
    return (error as Error).message;
  }
}

const fileRefused = (node: string, { path, reason }: FileRefusedError): UserError =>
  new UserError(
    "file-refused",
    `neither ${node} nor any node after it was changed: its ${path} is invalid: ${reason}`,
    "correct the source of the file and run `up` again",
  );

function reloadFailed(node: string, error: unknown, rollback: string): UserError {
  const reason = error instanceof UserError ? error.problem : (error as Error).message;
  const now = rollback === "" ? "it has its former files again" : `restoring them failed as well: ${rollback}`;
  return new UserError(
    "reload-failed",
    `${node} is unhealthy with its new files, ${now}; no node after it was changed: ${reason}`,
    `correct the cause and run \`up\` again; see \`npx groundplane logs ${node}\``,
  );
}
