import type { ApiClient } from "./api-client";
import { askRepeatedly, type Watched } from "./samples";

/** Where everything that `verify` makes in the cluster lies. */
export const verifyNamespace = "groundplane-verify";

const collection = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
const EVERY_MS = 100;
const READ_MS = 10_000;
/** A namespace with thousands of objects takes its time to go. */
const GONE_MS = 120_000;

export interface WritesReport extends Watched {
  /** Names of objects whose creation was acknowledged, and that are not there. */
  readonly lost: readonly string[];
}

/**
 * Creates one ConfigMap after another and remembers each that the API acknowledged; `stop` looks whether all of those are
 * there. One whose answer never came may be there or not.
 */
export function writeRepeatedly(api: ApiClient): { stop(): Promise<WritesReport> } {
  const series = `w${Date.now().toString(36)}`;
  const acknowledged: string[] = [];
  let next = 0;
  const writer = askRepeatedly(EVERY_MS, async () => {
    const name = `${series}-${next++}`;
    const { status } = await api.ask("POST", collection, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
    if (status !== 201) return `status ${status}`;
    acknowledged.push(name);
    return undefined;
  });
  return {
    async stop() {
      const watched = await writer.stop();
      const present = new Set(await namesPresent(api));
      return { ...watched, lost: acknowledged.filter((name) => !present.has(name)) };
    },
  };
}

/** Repeated, because the API may still be on its way back. */
async function namesPresent(api: ApiClient): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { status, text } = await api.ask("GET", collection, undefined, READ_MS);
      if (status !== 200) throw new Error(`the API answered ${status}`);
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

/** One of an earlier measuring may still be on its way out, and takes nothing any more: it is waited for. */
export async function makeNamespace(api: ApiClient): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: verifyNamespace } };
    const { status, text } = await api.ask("POST", "/api/v1/namespaces", body, READ_MS);
    if (status === 201 || (status === 409 && (await isUsable(api)))) return;
    if (status !== 409 || performance.now() > deadline) {
      throw new Error(`the namespace ${verifyNamespace} cannot be made: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function isUsable(api: ApiClient): Promise<boolean> {
  const { status, text } = await api.ask("GET", `/api/v1/namespaces/${verifyNamespace}`, undefined, READ_MS);
  if (status !== 200) return false;
  const { metadata } = JSON.parse(text) as { readonly metadata: { readonly deletionTimestamp?: string } };
  return metadata.deletionTimestamp === undefined;
}

export async function removeNamespace(api: ApiClient): Promise<void> {
  await api.ask("DELETE", `/api/v1/namespaces/${verifyNamespace}`, undefined, READ_MS);
}
