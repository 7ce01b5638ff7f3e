/** What rotations replaced and the state keeps, and how a list of it is read. */

/** JSON list of the user keys that rotations replaced, newest first: a node that was off still accepts one of them. */
export const formerUserKeys = "former-ssh-user-keys";

/** JSON list of the seeds of host keys that rotations replaced, newest first: a node that was off still has a key of one of them. */
export const formerHostSeeds = "former-ssh-host-seeds";

/** JSON list of the keys of Secrets that rotations replaced, newest first: a backup from before a rotation needs one of them. */
export const formerEncryptionKeys = "former-encryption-keys";

/** JSON list of the authorities of etcd that rotations replaced, newest first, each with its key: a machine may join before the rotation ends. */
export const formerEtcdAuthorities = "former-etcd-authorities";

/** The same of the cluster's authority. */
export const formerKubernetesAuthorities = "former-kubernetes-authorities";

export const formerSecrets: readonly string[] = [
  ...[formerUserKeys, formerHostSeeds, formerEtcdAuthorities, formerKubernetesAuthorities, formerEncryptionKeys],
];

const listIn = (values: Readonly<Record<string, string>>, name: string): readonly string[] =>
  JSON.parse(values[name] ?? "[]") as readonly string[];

export const formerEtcdAuthoritiesIn = (values: Readonly<Record<string, string>>) =>
  listIn(values, formerEtcdAuthorities);

export const formerKubernetesAuthoritiesIn = (values: Readonly<Record<string, string>>) =>
  listIn(values, formerKubernetesAuthorities);

export const formerUserKeysIn = (values: Readonly<Record<string, string>>) => listIn(values, formerUserKeys);

/** The present one first. They tell a stack from others: all of its other keys may have been replaced, and the first seed stays in the list. */
export const hostSeedsIn = (values: Readonly<Record<string, string>>): readonly string[] => [
  values["ssh-host-seed"] ?? "",
  ...formerHostSeedsIn(values),
];

export const formerHostSeedsIn = (values: Readonly<Record<string, string>>) => listIn(values, formerHostSeeds);

/**
 * The host keys that a node may have: the present one, and those before it up to one with which the node has ended a rotation.
 *
 * @param keys newest first
 * @param followed those with which nodes have ended rotations
 */
export function possibleHostKeys(keys: readonly string[], followed: readonly string[]): readonly string[] {
  const last = keys.findIndex((key) => followed.includes(key));
  return last === -1 ? keys : keys.slice(0, last + 1);
}

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
