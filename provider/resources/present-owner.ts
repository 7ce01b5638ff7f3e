import type { Owner } from "../../hypervisors/hypervisor";

/**
 * Whose an object in our state is: the one that stands on it, which may be another URN of the same stack after an
 * import or a move in the program. What belongs to another stack is not ours, and the driver will refuse.
 */
export function presentOwner(found: { readonly owner: Owner } | undefined, stack: string, urn: string): Owner {
  return found?.owner.stack === stack ? found.owner : { stack, urn };
}
