import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import type { ConnectGuest } from "../guests/guest";
import { guestCommand } from "../model/guest-paths";
import type { InventoryEntry, StackOutputs } from "../model/stack-outputs";
import { type ApiClient, apiClient } from "./api-client";
import { ask, isReady, type NodeObject } from "./health/cluster-state";

const RESPONSE_MS = 10_000;

/**
 * What a stack whose machines boot still lacks; `undefined`: its API answers, each machine does its work, and all Nodes are Ready. Each
 * question is cheap, because the machines need the processors: no machine is asked before the API answers, or again after it was
 * ready.
 */
export function startingStack(
  outputs: StackOutputs,
  api: ApiClient = apiClient(outputs.kubeconfig),
  connect: ConnectGuest = connectAnyGuest,
): () => Promise<string | undefined> {
  let waiting: readonly InventoryEntry[] = outputs.inventory;
  return async () => {
    const nodes = await ask<{ readonly items: readonly NodeObject[] }>(api, "/api/v1/nodes");
    if ("reason" in nodes) return nodes.reason;
    const asked = waiting.map(async (node) => ({ node, reason: await whyNotReady(node, outputs, connect) }));
    const silent = (await Promise.all(asked)).filter(({ reason }) => reason !== undefined);
    waiting = silent.map(({ node }) => node);
    const [first] = silent;
    if (first) return `${first.node.name}: ${first.reason?.split("\n")[0]}`;
    const node = nodes.value.items.find((each) => !isReady(each));
    return node && `${node.metadata.name}: its Node is not Ready`;
  };
}

async function whyNotReady(
  node: InventoryEntry,
  outputs: StackOutputs,
  connect: ConnectGuest,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(RESPONSE_MS);
  try {
    const guest = await connect(connectionOf(node, outputs), { signal });
    const { code, stdout, stderr } = await guest.run([guestCommand("node-ready")], { signal });
    return code === 0 ? undefined : `${stdout}${stderr}`.trim() || `node-ready exited with code ${code}`;
  } catch (error) {
    return signal.aborted ? `no response within ${RESPONSE_MS} ms` : (error as Error).message;
  }
}
