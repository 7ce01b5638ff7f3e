import type { Owner } from "../../hypervisors/hypervisor";
import type { Context } from "../rpc/resource-handler";

type Owned = { readonly owner: Owner } | undefined;

/**
 * The owner of an object in our state, as recorded on the object: after an import or a move in the program it may be another
 * URN of the same stack. The driver refuses an object of another stack.
 */
export function presentOwner(found: Owned, stack: string, urn: string): Owner {
  return found?.owner.stack === stack ? found.owner : { stack, urn };
}

/** The resources that the program has in this operation. One process of the provider serves one operation of the engine. */
const inProgram = new Set<string>();
export const noteResource = (urn: string): void => {
  inProgram.add(urn);
};

/**
 * Whether the object of a deleted resource belongs to another resource of the stack, as after an import under a second name.
 * Such an object stays: only its owner may remove it. A resource that was moved in the program keeps its logical name, and its
 * former URN is not in the program.
 */
export function belongsToAnother(what: string, found: Owned, stack: string, { urn, log }: Context): boolean {
  if (found?.owner.stack !== stack || found.owner.urn === urn) return false;
  const { owner } = found;
  if (!inProgram.has(owner.urn) && logicalName(owner.urn) === logicalName(urn)) return false;
  log("warning", `${what} stays: it belongs to ${owner.urn}, and this resource is a second name for it`);
  return true;
}

const logicalName = (urn: string): string => urn.split("::").at(-1) ?? "";
