import type { PublicKeyAuthMethod } from "ssh2";

/** sshd ends a connection after six attempts by default. */
export const mostFormerKeys = 4;

export interface UserKeys {
  /** OpenSSH private key. */
  readonly privateKey: string;
  /** Newest first. */
  readonly formerKeys?: readonly string[];
}

/** A node that a rotation has not reached yet accepts a former key. */
export const keysToTry = ({ privateKey, formerKeys = [] }: UserKeys): PublicKeyAuthMethod[] =>
  [privateKey, ...formerKeys.slice(0, mostFormerKeys)].map((key) => ({ type: "publickey", username: "root", key }));
