import { type ApiClient, apiClient } from "./api-client";
import { startClient } from "./measuring-client";
import type { ProbeResult } from "./samples";

/** Contains every object that `verify` creates in the cluster. */
export const verifyNamespace = "groundplane-verify";

const collection = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
const EVERY_MS = 100;
const READ_MS = 10_000;
/** Deleting a namespace with thousands of objects takes long. */
const GONE_MS = 120_000;

export interface WritesReport extends ProbeResult {
  /** Names of objects that were acknowledged and no longer exist. */
  readonly lost: readonly string[];
}

/**
 * Creates ConfigMaps in a loop and remembers those that the API acknowledged; `stop` checks that all of them exist. A
 * ConfigMap without a response may exist or not.
 */
export function writeRepeatedly(kubeconfig: string): { readonly begun: Promise<void>; stop(): Promise<WritesReport> } {
  const series = `w${Date.now().toString(36)}`;
  const writer = startClient({ does: "write", intervalMs: EVERY_MS, kubeconfig, series });
  return {
    begun: writer.begun,
    async stop() {
      const { acknowledged, ...result } = await writer.stop();
      const present = new Set(await namesPresent(apiClient(kubeconfig)));
      return { ...result, lost: acknowledged.filter((name) => !present.has(name)) };
    },
  };
}

/** Returns the error if the API did not acknowledge the object. */
export async function createObject(api: ApiClient, name: string): Promise<string | undefined> {
  const { status } = await api.request("POST", collection, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  return status === 201 ? undefined : `status ${status}`;
}

/** The ConfigMaps of the namespace. Retries, because the API may still be recovering. */
export async function namesPresent(api: ApiClient): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { status, text } = await api.request("GET", collection, undefined, READ_MS);
      if (status !== 200) throw new Error(`the API responded with status ${status}`);
      const { items } = JSON.parse(text) as {
        readonly items: readonly { readonly metadata: { readonly name: string } }[];
      };
      return items.map(({ metadata }) => metadata.name);
    } catch (error) {
      if (attempt === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

/** Waits for a namespace of an earlier run that is still terminating, because it accepts no objects. */
export async function createNamespace(api: ApiClient): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: verifyNamespace } };
    const { status, text } = await api.request("POST", "/api/v1/namespaces", body, READ_MS);
    if (status === 201 || (status === 409 && (await isUsable(api)))) return;
    if (status !== 409 || performance.now() > deadline) {
      throw new Error(`cannot create the namespace ${verifyNamespace}: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function isUsable(api: ApiClient): Promise<boolean> {
  const { status, text } = await api.request("GET", `/api/v1/namespaces/${verifyNamespace}`, undefined, READ_MS);
  if (status !== 200) return false;
  const { metadata } = JSON.parse(text) as { readonly metadata: { readonly deletionTimestamp?: string } };
  return metadata.deletionTimestamp === undefined;
}

export async function removeNamespace(api: ApiClient): Promise<void> {
  await api.request("DELETE", `/api/v1/namespaces/${verifyNamespace}`, undefined, READ_MS);
}
