import { emitYaml } from "../../emit-yaml";
import { secretReference } from "../../role-content";

/**
 * Secrets are written to etcd encrypted. `identity` comes last, so that what was written in clear before this file was
 * there can still be read.
 */
export function encryptionConfiguration(): string {
  return emitYaml({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [
      {
        resources: ["secrets"],
        providers: [
          { secretbox: { keys: [{ name: "key1", secret: secretReference("encryption-key") }] } },
          { identity: {} },
        ],
      },
    ],
  });
}
