import type { Guest } from "../../guests/guest";
import type { Role } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { inGuest } from "./guest-waiting";
import { forgetBackups, hasKeptBackups, keepBackups, returnBackups } from "./kept-backups";
import { forgetLeases, hasKeptLeases, keepLeases, returnLeases } from "./kept-leases";

/** What a system disk has and the next one does not get from the seed. It is in the stack's folder while the disk is exchanged. */
interface Kept {
  readonly role: Role;
  readonly has: (stack: string, node: string) => Promise<boolean>;
  readonly keep: (guest: Guest, stack: string, node: string, context: Context) => Promise<void>;
  /** What the node has meanwhile stays. */
  readonly giveBack: Kept["keep"];
  readonly forget: (stack: string, node: string) => Promise<void>;
}

const rows: readonly Kept[] = [
  { role: "master", has: hasKeptBackups, keep: keepBackups, giveBack: returnBackups, forget: forgetBackups },
  { role: "gateway", has: hasKeptLeases, keep: keepLeases, giveBack: returnLeases, forget: forgetLeases },
];

type ConnectNode = () => Promise<Guest>;

export async function hasKept(stack: string, node: string): Promise<boolean> {
  return (await Promise.all(rows.map(({ has }) => has(stack, node)))).includes(true);
}

/** The node must still run from the disk that is exchanged. */
export async function keepFromDisk(
  connect: ConnectNode,
  { stack, node, roles }: { readonly stack: string; readonly node: string; readonly roles: readonly Role[] },
  context: Context,
): Promise<void> {
  for (const { keep } of rows.filter(({ role }) => roles.includes(role)))
    await inGuest(connect, (guest) => keep(guest, stack, node, context));
}

export async function giveBackToDisk(
  connect: ConnectNode,
  { stack, node }: { readonly stack: string; readonly node: string },
  context: Context,
): Promise<void> {
  for (const { has, giveBack } of rows)
    if (await has(stack, node)) await inGuest(connect, (guest) => giveBack(guest, stack, node, context));
}

export async function forgetKept(stack: string, node: string): Promise<void> {
  for (const { forget } of rows) await forget(stack, node);
}
