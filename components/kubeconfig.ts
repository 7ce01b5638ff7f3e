import { emitYaml } from "../cloud-init/emit-yaml";

export interface KubeconfigContent {
  readonly stack: string;
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** PEM. */
  readonly clientCertificate: string;
  /** PEM. */
  readonly clientKey: string;
}

/**
 * The administrator's kubeconfig: one cluster, one user and one context, named after the stack. `kubectl` reads YAML 1.1,
 * in which a stack named `no` would be a boolean.
 */
export function renderKubeconfig(content: KubeconfigContent): string {
  const base64 = (pem: string) => Buffer.from(pem, "utf8").toString("base64");
  const user = `${content.stack}-admin`;
  return emitYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: content.stack,
        cluster: { server: content.server, "certificate-authority-data": base64(content.certificateAuthority) },
      },
    ],
    users: [
      {
        name: user,
        user: {
          "client-certificate-data": base64(content.clientCertificate),
          "client-key-data": base64(content.clientKey),
        },
      },
    ],
    contexts: [{ name: content.stack, context: { cluster: content.stack, user } }],
    "current-context": content.stack,
  });
}
