import type { EncryptionKey } from "../../../model/former-keys";
import { emitYaml } from "../../emit-yaml";

/**
 * Encrypts Secrets in etcd with the first key, and reads those of all keys. `identity` comes last, so that existing unencrypted
 * objects can still be read.
 */
export function encryptionConfiguration(keys: readonly EncryptionKey[]): string {
  return emitYaml({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [{ resources: ["secrets"], providers: [{ secretbox: { keys } }, { identity: {} }] }],
  });
}
