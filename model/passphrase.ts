import { UserError } from "./user-error";

/** Pulumi encrypts the keys of a stack with a passphrase. With an empty one, every reader of the state has them. */

export const emptyPassphrase = (): UserError =>
  new UserError(
    "empty-passphrase",
    "PULUMI_CONFIG_PASSPHRASE is set, but empty: the keys of the stack would be encrypted with an empty passphrase",
    "unset PULUMI_CONFIG_PASSPHRASE to use the passphrase that groundplane keeps for this host, or set it to a long one",
  );

export const passphraseFileUnusable = (file: string, isEmpty: boolean): UserError =>
  new UserError(
    isEmpty ? "empty-passphrase" : "passphrase-file",
    `PULUMI_CONFIG_PASSPHRASE_FILE names ${file}, which ${isEmpty ? "is empty" : "cannot be read"}`,
    "unset PULUMI_CONFIG_PASSPHRASE_FILE to use the passphrase that groundplane keeps for this host, or correct the file",
  );

/** For the Pulumi program, which plain `pulumi` runs as well: refuses before anything is encrypted. */
export function refuseEmptyPassphrase(environment: Readonly<Record<string, string | undefined>>): void {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_BACKEND_URL: backend = "" } = environment;
  // Other backends may encrypt with a key of their own.
  if (passphrase === "" && backend.startsWith("file:")) throw emptyPassphrase();
}
