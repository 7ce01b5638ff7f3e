/** What rotations replaced and the state keeps, and how a list of it is read. */

/** JSON list of the user keys that rotations replaced, newest first: a node that was off still accepts one of them. */
export const formerUserKeys = "former-ssh-user-keys";

/** JSON list of the keys of Secrets that rotations replaced, newest first: a backup from before a rotation needs one of them. */
export const formerEncryptionKeys = "former-encryption-keys";

/** JSON list of the authorities of etcd that rotations replaced, newest first, each with its key: a machine may join before the rotation ends. */
export const formerEtcdAuthorities = "former-etcd-authorities";

/** The same of the cluster's authority. */
export const formerKubernetesAuthorities = "former-kubernetes-authorities";

export const formerSecrets: readonly string[] = [
  ...[formerUserKeys, formerEtcdAuthorities, formerKubernetesAuthorities, formerEncryptionKeys],
];

const listIn = (values: Readonly<Record<string, string>>, name: string): readonly string[] =>
  JSON.parse(values[name] ?? "[]") as readonly string[];

export const formerEtcdAuthoritiesIn = (values: Readonly<Record<string, string>>) =>
  listIn(values, formerEtcdAuthorities);

export const formerKubernetesAuthoritiesIn = (values: Readonly<Record<string, string>>) =>
  listIn(values, formerKubernetesAuthorities);

export const formerUserKeysIn = (values: Readonly<Record<string, string>>) => listIn(values, formerUserKeys);

export interface EncryptionKey {
  /** etcd has it before each value. */
  readonly name: string;
  readonly secret: string;
}

/** The present key first. A key keeps its name. */
export function encryptionKeysIn(values: Readonly<Record<string, string>>): readonly EncryptionKey[] {
  const all = [values["encryption-key"] ?? "", ...listIn(values, formerEncryptionKeys)];
  return all.map((secret, index) => ({ name: `key${all.length - index}`, secret }));
}
