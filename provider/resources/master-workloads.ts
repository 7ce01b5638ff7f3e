import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { guestCommand, guestPaths, volumeName } from "../../model/guest-paths";
import { nodeMarks } from "../../model/node-marks";
import { isWorkingMaster, type Role } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, mustRun } from "./cluster-command";
import { progress, reasonOf } from "./guest-waiting";

/** Where the commands run: on the master that changes, and on any master that responds. */
export interface MasterGuests {
  readonly onNode: () => Promise<Guest>;
  readonly onMaster: () => Promise<Guest>;
}

/**
 * Lets pods run on a master, or closes it to them, as its roles say. kubeadm decides it for a new master only, and keeps the
 * label. Every step is the same when it is repeated.
 *
 * @param before roles so far; absent for a node that has just joined
 */
export async function followRoles(
  guests: MasterGuests,
  node: string,
  before: readonly Role[] | undefined,
  after: readonly Role[],
  drainSeconds: number,
  context: Context,
): Promise<void> {
  const [did, shall] = [isWorkingMaster(before ?? []), isWorkingMaster(after)];
  if (did === shall) return;
  const master = await guests.onMaster();
  if (shall) await openToPods(master, node, context);
  else await closeToPods(master, await guests.onNode(), node, drainSeconds, context);
}

async function openToPods(master: Guest, node: string, context: Context): Promise<void> {
  await label(master, node, [`${nodeMarks.withoutBalancing}-`], context);
  const untaint = ["kubectl", KUBECONFIG, "taint", "node", node, `${taint}-`];
  const result = await master.run(untaint, { signal: context.signal, timeoutMs: COMMAND_MS });
  if (result.code === 0 || /not found/.test(result.stderr)) return;
  throw new Error(`pods cannot run on ${node}: ${reasonOf(result)}`);
}

/** Its files follow later and no longer mention the volume, so its mount ends here, after the last pod. */
async function closeToPods(
  master: Guest,
  own: Guest,
  node: string,
  drainSeconds: number,
  context: Context,
): Promise<void> {
  const close = ["taint", "--overwrite", "node", node, `${nodeMarks.controlPlane}=:NoSchedule`] as const;
  await mustRun(master, ["kubectl", KUBECONFIG, ...close], `close ${node} to pods`, context);
  const show = progress(context, node);
  show("draining");
  const drained = await master.run([guestCommand("drain-node"), node, String(drainSeconds)], {
    signal: context.signal,
    timeoutMs: (drainSeconds + 30) * 1000,
    onLine: show,
  });
  if (drained.code !== 0) context.log("warning", `${node} was not drained completely: ${reasonOf(drained)}`);
  await mustRun(own, ["systemctl", "stop", ...volumeUnits], `release the volume on ${node}`, context, {
    timeoutMs: COMMAND_MS,
  });
  await label(master, node, [`${nodeMarks.withoutBalancing}=`, `${nodeMarks.volume}-`], context);
  await mustRun(master, ["kubectl", KUBECONFIG, "uncordon", node], `uncordon ${node}`, context);
}

const label = (master: Guest, node: string, labels: readonly string[], context: Context): Promise<string> =>
  mustRun(master, ["kubectl", KUBECONFIG, "label", "--overwrite", "node", node, ...labels], `label ${node}`, context);

const taint = `${nodeMarks.controlPlane}:NoSchedule`;

const mountUnit = path.posix.join(guestPaths.volumeMounts, volumeName).slice(1).replaceAll("/", "-");

/** Patterns, because units that do not exist are an error only by their names. */
const volumeUnits = [`groundplane-volume.servic[e]`, `${mountUnit}.moun[t]`];

const COMMAND_MS = 60_000;
