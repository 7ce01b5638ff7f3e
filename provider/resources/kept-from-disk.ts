import type { Guest } from "../../guests/guest";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { Role } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { inGuest } from "./guest-waiting";
import { forgetBackups, hasKeptBackups, keepBackups, returnBackups } from "./kept-backups";
import { forgetImages, hasKeptImages, keepImages, returnImages } from "./kept-images";
import { forgetLeases, hasKeptLeases, keepLeases, returnLeases } from "./kept-leases";
import { forgetVolume, hasKeptVolume, keepVolume, returnVolume } from "./kept-volume";

/** What a system disk has and the next one does not get from the seed. It is in the stack's folder while the disk is exchanged. */
interface Kept {
  readonly role: Role;
  /** Other nodes with the role give it what they have. */
  readonly isOfTheOnly?: true;
  readonly has: (stack: string, node: string) => Promise<boolean>;
  readonly keep: (guest: Guest, stack: string, node: string, context: Context, next?: string) => Promise<void>;
  /** What the node has meanwhile stays. */
  readonly giveBack: (guest: Guest, stack: string, node: string, context: Context) => Promise<void>;
  readonly forget: (stack: string, node: string) => Promise<void>;
}

const rows: readonly Kept[] = [
  { role: "master", has: hasKeptBackups, keep: keepBackups, giveBack: returnBackups, forget: forgetBackups },
  { role: "gateway", has: hasKeptLeases, keep: keepLeases, giveBack: returnLeases, forget: forgetLeases },
  {
    ...{ role: "storage", isOfTheOnly: true, has: hasKeptVolume, keep: keepVolume },
    ...{ giveBack: returnVolume, forget: forgetVolume },
  },
  {
    ...{ role: "master", isOfTheOnly: true, has: hasKeptImages, keep: keepImages },
    ...{ giveBack: returnImages, forget: forgetImages },
  },
];

type ConnectNode = () => Promise<Guest>;

export async function hasKept(stack: string, node: string): Promise<boolean> {
  return (await Promise.all(rows.map(({ has }) => has(stack, node)))).includes(true);
}

/**
 * The node must still run from the disk that is exchanged.
 *
 * @param next the release of the next disk, if it is another one
 */
export async function keepFromDisk(
  connect: ConnectNode,
  { stack, node, roles, alone = [] }: Pick<NodeImageInputs, "stack" | "node" | "roles" | "alone">,
  context: Context,
  next?: string,
): Promise<void> {
  for (const { keep } of rows.filter(({ role, isOfTheOnly }) => (isOfTheOnly ? alone : roles).includes(role)))
    await inGuest(connect, (guest) => keep(guest, stack, node, context, next));
}

type NodeName = Pick<NodeImageInputs, "stack" | "node">;

export const giveBackToDisk = (connect: ConnectNode, node: NodeName, context: Context): Promise<void> =>
  giveBack(rows, connect, node, context);

/** Only what checks of the node need: that of the volume would make another volume, and pods of the present add-ons start. */
export const giveBackForChecks = (connect: ConnectNode, node: NodeName, context: Context): Promise<void> =>
  giveBack(
    rows.filter(({ isOfTheOnly }) => isOfTheOnly),
    ...([connect, node, context] as const),
  );

async function giveBack(
  some: readonly Kept[],
  connect: ConnectNode,
  { stack, node }: NodeName,
  context: Context,
): Promise<void> {
  for (const row of some)
    if (await row.has(stack, node)) await inGuest(connect, (guest) => row.giveBack(guest, stack, node, context));
}

export async function forgetKept(stack: string, node: string): Promise<void> {
  for (const { forget } of rows) await forget(stack, node);
}
