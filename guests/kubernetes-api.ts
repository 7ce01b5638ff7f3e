import * as https from "node:https";
import { administratorIn } from "./administrator";

const TIMEOUT_MS = 5_000;

/** The administrator's requests to the cluster's API, through the same port as `kubectl`. */
export interface KubernetesNode {
  readonly name: string;
  readonly ready: boolean;
  /** Begins with `v`. */
  readonly version: string;
}

/** Throws `Error` with the reason when the API does not respond. */
export async function listNodes(kubeconfig: string): Promise<readonly KubernetesNode[]> {
  const { items } = (await get(kubeconfig, "/api/v1/nodes")) as { readonly items: readonly NodeObject[] };
  return items.map(({ metadata, status }) => ({
    name: metadata.name,
    ready: status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    version: status.nodeInfo.kubeletVersion,
  }));
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly nodeInfo: { readonly kubeletVersion: string };
  };
}

function get(kubeconfig: string, path: string): Promise<unknown> {
  const { server, ...identity } = administratorIn(kubeconfig);
  const options = { ...identity, timeout: TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    const request = https.get(`${server}${path}`, options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) reject(new Error(`the API responded with status ${response.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(parts).toString("utf8")));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`no response within ${TIMEOUT_MS} ms`)));
    request.on("error", reject);
  });
}
