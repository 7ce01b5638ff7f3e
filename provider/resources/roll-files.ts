import { type ConnectGuest, FileRefusedError, type Guest, type GuestFile } from "../../guests/guest";
import { type AppliedChange, appliedChange } from "../../model/applied-change";
import { settingsInFiles } from "../../model/changed-settings";
import { guestPaths } from "../../model/guest-paths";
import type { NodeFilesInputs } from "../../model/resource-types";
import type { NodeFile } from "../../model/seed";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { ask, bootedGuest, inGuest, progress, readyGuest, reasonOf } from "./guest-waiting";

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
  /** The files that it has; absent: it has had those of its seed only. */
  readonly before?: NodeFilesInputs["files"];
}

/**
 * Writes the differing files of a node and activates them. When the node is ready, the next node of its pool follows.
 * Otherwise the node gets its former files again, and the roll ends.
 *
 * @throws UserError `file-refused`, `reload-failed`
 */
export async function rollFiles({ connect, isNew, before = [] }: RollFiles, inputs: NodeFilesInputs, context: Context) {
  const { node, connection, files } = inputs;
  const change = isNew ? noChange : changeBetween(before, files);
  const worked = change.isShared || (await waitForWork({ connect, isNew }, inputs, context));
  const connectNode = (): Promise<Guest> => bootedGuest(connect, connection, node, context);
  const paths = files.map(({ path }) => path);
  const present = await inGuest(connectNode, (guest) => guest.readFiles(paths, context.signal));
  const differing = files.filter((file, index) => !isEqual(file, present[index]));
  const release = differing.some((file) => file.release !== undefined) ? await releaseOf(connectNode, context) : "";
  const isLater = (file: NodeFile): boolean => file.release !== undefined && file.release !== release;
  const changed = differing.filter((file) => !isLater(file));
  for (const file of differing.filter(isLater))
    context.log("info", `${node} gets ${file.path} with the image of Kubernetes ${file.release}`);
  if (changed.length === 0) {
    if (!worked) await readyGuest(connect, connection, node, context, SETTLE_MS);
    return;
  }
  if (!worked) context.log("warning", `${node} is unhealthy; its files are restored nevertheless`);
  const former = present.filter((file) => changed.some(({ path }) => path === file?.path)) as readonly GuestFile[];
  progress(context, node)(`writing ${changed.map(({ path }) => path).join(", ")}`);
  // The settings come last: they are what tells an interrupted roll that the node has not applied them.
  const settings = change.commands.length === 0 ? [] : changed.filter(isSettings);
  // Also late: it says that sshd has read the key that comes with it.
  const hostKeys = changed.filter(({ path }) => path === guestPaths.presentHostKey);
  const others = changed.filter((file) => !settings.includes(file) && !hostKeys.includes(file));
  const written = [...changed.flatMap(({ alongside = [] }) => alongside), ...others];
  await inGuest(connectNode, (guest) => guest.writeFiles(written, context.signal)).catch((error: unknown) => {
    throw error instanceof FileRefusedError ? fileRefused(node, error) : error;
  });
  const reloads = [...new Set(changed.map(({ reload }) => reload).filter((reload) => reload !== ""))];
  try {
    for (const command of change.commands) await runReload(connectNode, node, applying(command), context);
    if (settings.length > 0) await inGuest(connectNode, (guest) => guest.writeFiles(settings, context.signal));
    for (const reload of reloads) await runReload(connectNode, node, reload, context);
    if (hostKeys.length > 0) await inGuest(connectNode, (guest) => guest.writeFiles(hostKeys, context.signal));
    if (!change.isShared || holdsAlone(files)) {
      await readyGuest(connect, connection, node, context, isNew ? undefined : SETTLE_MS);
    }
  } catch (error) {
    if (context.signal.aborted || !worked) throw error;
    const absent = changed.map(({ path }) => path).filter((path) => !former.some((file) => file.path === path));
    const back = changeBetween(files, before).commands.map(applying);
    throw reloadFailed(node, error, await takeBack(connectNode, { former, absent, commands: back, reloads }, context));
  }
}

/** The version of Kubernetes in the node's image. */
async function releaseOf(connectNode: ConnectNode, context: Context): Promise<string> {
  const result = await inGuest(connectNode, (guest) => ask(guest, ["kubeadm", "version", "--output=short"], context));
  if (result.code !== 0) throw new Error(`the version of kubeadm is unknown: ${reasonOf(result)}`);
  return result.stdout.trim().replace(/^v/, "");
}

const noChange: AppliedChange = { commands: [], isShared: false };

/** Each list is one node's files; in a preview a text may be unknown. */
const changeBetween = (before: NodeFilesInputs["files"], after: NodeFilesInputs["files"]): AppliedChange => {
  const settings = (files: NodeFilesInputs["files"]) =>
    settingsInFiles(files.flatMap(({ content }) => (typeof content === "string" ? [content] : [])));
  return before.length === 0 ? noChange : appliedChange(settings(before), settings(after));
};

const isSettings = ({ path }: GuestFile): boolean => path === guestPaths.nodeEnvironment;

/** The gateway votes in a cluster that the balancers have yet to join. */
const holdsAlone = (files: NodeFilesInputs["files"]): boolean =>
  !files.some((file) => isSettings(file) && /^NODE_ROLE="gateway"$/m.test(file.content));

/** A node whose former and new programs need no such command has none. */
const applying = ([program = "", ...args]: readonly string[]): string =>
  `[ ! -x ${program} ] || ${[program, ...args].map(quoted).join(" ")}`;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

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

type ConnectNode = () => Promise<Guest>;

async function runReload(connectNode: ConnectNode, node: string, reload: string, context: Context): Promise<void> {
  progress(context, node)(reload);
  const failure = await failureOf(connectNode, reload, context);
  if (failure !== undefined) throw new Error(`\`${reload}\` failed: ${failure}`);
}

/** A command may have been done when its connection was lost: each of them may run twice. */
async function failureOf(connectNode: ConnectNode, reload: string, context: Context): Promise<string | undefined> {
  const options = { signal: context.signal, timeoutMs: RELOAD_TIMEOUT_MS };
  const result = await inGuest(connectNode, (guest) => guest.run(["sh", "-c", reload], options));
  return result.code === 0 ? undefined : reasonOf(result);
}

interface Former {
  readonly former: readonly GuestFile[];
  readonly absent: readonly string[];
  /** Run while the new files are still there: one of them may be the command. */
  readonly commands: readonly string[];
  readonly reloads: readonly string[];
}

/** What failed while restoring the node; empty on success. */
async function takeBack(
  connectNode: ConnectNode,
  { former, absent, commands, reloads }: Former,
  context: Context,
): Promise<string> {
  try {
    await inGuest(connectNode, (guest) => guest.writeFiles(former, context.signal));
    const failures = [];
    for (const command of commands) failures.push(await failureOf(connectNode, command, context));
    const remove = ["rm", "-f", ...absent] as const;
    if (absent.length > 0) await inGuest(connectNode, (guest) => guest.run(remove, { signal: context.signal }));
    for (const reload of reloads) failures.push(await failureOf(connectNode, reload, context));
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
