import { type PublicKeyAuthMethod, utils } from "ssh2";
import { UserError } from "../model/user-error";

/** sshd ends a connection after six attempts by default. */
export const mostFormerKeys = 4;

export interface UserKeys {
  /** OpenSSH private key. */
  readonly privateKey: string;
  /** Newest first. */
  readonly formerKeys?: readonly string[];
}

/**
 * A node that a rotation has not reached yet accepts a former key.
 *
 * @throws UserError if no key can be read: ssh2 would leave such keys out without a word, and every try would fail alike
 */
export function keysToTry({ privateKey, formerKeys = [] }: UserKeys): PublicKeyAuthMethod[] {
  const keys = [privateKey, ...formerKeys.slice(0, mostFormerKeys)].filter(isReadable);
  if (keys.length === 0) throw unreadable();
  return keys.map((key) => ({ type: "publickey", username: "root", key }));
}

const isReadable = (key: string): boolean => !(utils.parseKey(key) instanceof Error);

const unreadable = (): UserError =>
  new UserError(
    "ssh-key-unreadable",
    "the stack's SSH key cannot be read, so its nodes cannot be reached",
    "an earlier version created this key; it did so in one of 256 stacks. Destroy the stack and create it again",
  );
