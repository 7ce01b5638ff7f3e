import type { ApiConnection, GuestConnection } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";

/** An unreachable node must not delay a preview. */
const READ_TIMEOUT_MS = 10_000;

/**
 * Ends a read of a node or of the cluster's API. An emulated node on a busy host responds after more seconds than a native one; a read
 * that ends too early would show a change that does not exist.
 */
export const readSignal = ({ slowdown = 1 }: Pick<GuestConnection | ApiConnection, "slowdown">, { signal }: Context) =>
  AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS * slowdown)]);
