import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import type { RunOptions } from "../../guests/guest-ssh";
import { formerGuestCommands } from "../../model/former-names";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import type { BootstrapMember } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { ask, deadlineMs, inGuest, progress, reasonOf } from "./guest-waiting";

/** The cluster status that masters and workers report; see cloud-init/scripts/. */

export interface ClusterStatus {
  readonly order: "none" | "first" | "other" | "join";
  readonly phase: "waiting" | "bootstrapping" | "joining" | "member" | "failed";
  /** Whether the node has data of an etcd member. */
  readonly etcdData: boolean;
  readonly step: string;
  readonly error: string;
}

export const KUBECONFIG = `--kubeconfig=${guestPaths.adminKubeconfig}`;

const QUICK_MS = 30_000;
const CONNECT_MS = 5_000;
/** Masters of a busy host, or ones that have just restarted, respond late: one question decides nothing. */
const MASTER_PATIENCE_MS = 60_000;
const POLL_MS = 500;
/** Exit code of a shell for an unknown program. */
const NOT_FOUND = 127;

export async function clusterStatus(guest: Guest, context: Context): Promise<ClusterStatus> {
  const result = await ask(guest, [guestCommand("cluster-status")], context);
  if (result.code !== 0) throw new Error(`cluster-status failed: ${reasonOf(result)}`);
  return JSON.parse(result.stdout) as ClusterStatus;
}

/** Runs a guest command that must succeed; `what` completes "cannot …". */
export async function mustRun(
  guest: Guest,
  argv: readonly [string, ...string[]],
  what: string,
  context: Context,
  options: { readonly stdin?: string; readonly timeoutMs?: number } = {},
): Promise<string> {
  const { signal } = context;
  const result = await runByEitherName(guest, argv, { timeoutMs: QUICK_MS, ...options, signal });
  if (result.code === 0) return result.stdout.trim();
  throw new UserError(
    "cluster-command",
    `cannot ${what}: ${reasonOf(result)}`,
    "run the same command again: it continues from there",
  );
}

/** A node whose files are of an earlier version has some commands by their former names only. */
async function runByEitherName(guest: Guest, argv: readonly [string, ...string[]], options: RunOptions) {
  const [program, ...words] = argv;
  const result = await guest.run(argv, options);
  const former = formerGuestCommands[path.posix.basename(program)];
  if (result.code !== NOT_FOUND || former === undefined) return result;
  return guest.run([path.posix.join(path.posix.dirname(program), former), ...words], options);
}

/** Waits until the node is a member of the cluster and shows its steps as progress. */
export async function waitForMember(connectNode: () => Promise<Guest>, node: string, context: Context): Promise<void> {
  const end = Date.now() + deadlineMs(context);
  const onLine = progress(context, node);
  const waitIn = async (guest: Guest): Promise<void> => {
    const seconds = Math.max(1, Math.round((end - Date.now()) / 1000));
    const argv = [guestCommand("cluster-wait"), String(seconds)] as const;
    const result = await guest.run(argv, { signal: context.signal, timeoutMs: (seconds + 5) * 1000, onLine });
    if (result.code !== 0) throw notMember(node, reasonOf(result));
  };
  // The node may restart meanwhile: its order persists, so keep waiting.
  await inGuest(connectNode, waitIn, onLine);
}

const notMember = (node: string, reason: string): UserError =>
  new UserError(
    "not-a-member",
    `${node} did not become a member of the cluster: ${reason}`,
    `see \`npx groundplane logs ${node}\`; run \`up\` again to continue`,
  );

export interface LivingMaster {
  readonly name: string;
  readonly guest: Guest;
  readonly clusterId: string;
}

/** The first master that responds for the cluster; `undefined` if none does. */
export async function livingMaster(
  connect: ConnectGuest,
  masters: readonly BootstrapMember[],
  context: Context,
): Promise<LivingMaster | undefined> {
  const { signal } = context;
  const attempts = masters.map(async ({ name, connection }) => {
    const connectMaster = () => connect(connection, { deadlineMs: CONNECT_MS, signal });
    return inGuest(connectMaster, async (guest) => {
      const result = await guest.run([guestCommand("cluster-id")], { signal, timeoutMs: QUICK_MS });
      if (result.code !== 0) throw new Error(reasonOf(result));
      return { name, guest, clusterId: result.stdout.trim() };
    });
  });
  // The first master to respond is healthy and close.
  const first = await Promise.any(attempts).catch(() => undefined);
  signal.throwIfAborted();
  return first;
}

/**
 * The first master that responds, one of the preferred ones where possible. Looks until one does; `undefined` after a minute, or after the
 * time of the call if that is less.
 */
export async function awaitedMaster(
  connect: ConnectGuest,
  [preferred, rest = []]: readonly [readonly BootstrapMember[], (readonly BootstrapMember[])?],
  show: (line: string) => void,
  context: Context,
): Promise<LivingMaster | undefined> {
  const end = Date.now() + Math.min(MASTER_PATIENCE_MS, deadlineMs(context));
  for (;;) {
    const master = (await livingMaster(connect, preferred, context)) ?? (await livingMaster(connect, rest, context));
    if (master || Date.now() >= end) return master;
    show("waiting until a member of the cluster responds");
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}
