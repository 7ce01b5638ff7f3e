import { parse } from "yaml";

/** The administrator's access to the API: its address and options for `https.request`, with a new connection per request. */
export interface Administrator {
  /** e.g. `https://127.0.0.1:25766` */
  readonly server: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly agent: false;
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

export function administratorIn(kubeconfig: string): Administrator {
  const { clusters, users } = parse(kubeconfig) as Kubeconfig;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const pem = (base64 = ""): Buffer => Buffer.from(base64, "base64");
  return {
    server: cluster.server ?? "",
    ca: pem(cluster["certificate-authority-data"]),
    cert: pem(user["client-certificate-data"]),
    key: pem(user["client-key-data"]),
    agent: false,
  };
}
