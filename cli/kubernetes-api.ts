import * as https from "node:https";
import { parse } from "yaml";

const TIMEOUT_MS = 5_000;

/** What is asked of the cluster's API as its administrator, through the same port that `kubectl` uses. */
export interface KubernetesNode {
  readonly name: string;
  readonly ready: boolean;
  /** e.g. `v1.36.3` */
  readonly version: string;
}

/** Throws `Error` with the reason when the API does not answer. */
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

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

function get(kubeconfig: string, path: string): Promise<unknown> {
  const { clusters, users } = parse(kubeconfig) as Kubeconfig;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const pem = (base64 = ""): Buffer => Buffer.from(base64, "base64");
  const options = {
    ca: pem(cluster["certificate-authority-data"]),
    cert: pem(user["client-certificate-data"]),
    key: pem(user["client-key-data"]),
    timeout: TIMEOUT_MS,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request = https.get(`${cluster.server}${path}`, options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) reject(new Error(`the API answered ${response.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(parts).toString("utf8")));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on("error", reject);
  });
}
