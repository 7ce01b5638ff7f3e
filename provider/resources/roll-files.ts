import { type ConnectGuest, FileRefusedError, type Guest, type GuestFile } from "../../guests/guest";
import type { NodeFilesInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { bootedGuest, inGuest, progress, readyGuest, reasonOf } from "./guest-waiting";

/** Longer than a master gives its API server to start anew. */
const RELOAD_TIMEOUT_MS = 240_000;
/** A node that worked a moment ago works again after a reload within this, or not at all. */
const SETTLE_MS = 120_000;
/** How long a node that has worked before may be without; files that were broken by hand are a reason for it. */
const MEND_AFTER_MS = 60_000;

export interface RollFiles {
  readonly connect: ConnectGuest;
  /** Whether the node is about to begin its work, and takes as long as it takes. */
  readonly isNew: boolean;
}

/**
 * Brings the files of a node that differ into place and has it use them. Ends when the node works with them, which is
 * when the next one of its pool takes its turn. Otherwise the node goes back to its former files, and the roll ends.
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
  if (!worked) context.log("warning", `${node} does not work as it is; its files are put right all the same`);
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

/** Whether the node works; one that has worked before need not, where its files may be why. */
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

/** What has gone wrong with it, empty when the node is as before. */
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
    `${node} was not changed, nor any node after it: its ${path} would not work: ${reason}`,
    "correct what the file is made from and run `up` again",
  );

function reloadFailed(node: string, error: unknown, takingBack: string): UserError {
  const reason = error instanceof UserError ? error.problem : (error as Error).message;
  const now = takingBack === "" ? "it has its former files again" : `taking it back failed as well: ${takingBack}`;
  return new UserError(
    "reload-failed",
    `${node} does not work with its new files, ${now}; no node after it was changed: ${reason}`,
    `correct the cause and run \`up\` again; \`npx groundplane logs ${node}\` may know more`,
  );
}
