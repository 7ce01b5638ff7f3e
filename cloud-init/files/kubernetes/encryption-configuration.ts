import { emitYaml } from "../../emit-yaml";
import { secretReference } from "../../role-content";

/**
 * Encrypts Secrets in etcd. `identity` comes last, so that existing unencrypted objects can still be read.
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
