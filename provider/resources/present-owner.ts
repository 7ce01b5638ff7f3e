import type { Owner } from "../../hypervisors/hypervisor";

/**
 * The owner of an object in our state, as recorded on the object: after an import or a move in the program it may be another
 * URN of the same stack. The driver refuses an object of another stack.
 */
export function presentOwner(found: { readonly owner: Owner } | undefined, stack: string, urn: string): Owner {
  return found?.owner.stack === stack ? found.owner : { stack, urn };
}
