import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { UserError } from "../model/user-error";

/** A file is encrypted for the holders of keys, or with one passphrase. */
export type Protection = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** Loaded lazily: no other command needs it. */
const age = () => import("age-encryption");

/** @throws UserError `recipient` */
export async function refuseWrongRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await age();
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch {
      const shown = /secret/i.test(recipient) ? "a secret key" : JSON.stringify(recipient);
      throw new UserError(
        "recipient",
        `${shown} is no recipient of age`,
        "use a public key as `age-keygen` prints it: age1…; a secret key (AGE-SECRET-KEY-1…) stays where it is",
      );
    }
  }
}

/** The age format: `age --decrypt` reads the result as well. */
export async function encrypt(plain: Readable, protection: Protection): Promise<Readable> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  if ("passphrase" in protection) encrypter.setPassphrase(protection.passphrase);
  else for (const recipient of protection.recipients) encrypter.addRecipient(recipient);
  return fromWeb(await encrypter.encrypt(toWeb(plain)));
}

// The types of Node and of the package name the same class differently.
type WebStream = globalThis.ReadableStream<Uint8Array>;
const toWeb = (stream: Readable): WebStream => Readable.toWeb(stream) as unknown as WebStream;
const fromWeb = (stream: WebStream): Readable => Readable.fromWeb(stream as unknown as ReadableStream);

/** What opens a backup: texts of identities, or the passphrase. */
export type Opening = { readonly identities: readonly string[] } | { readonly passphrase: string };

/** @throws UserError `cannot-decrypt` */
export async function decrypt(encrypted: Readable, opening: Opening): Promise<Readable> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  try {
    if ("passphrase" in opening) decrypter.addPassphrase(opening.passphrase);
    else for (const identity of opening.identities) decrypter.addIdentity(identity);
    return fromWeb(await decrypter.decrypt(toWeb(encrypted)));
  } catch (error) {
    const how = "passphrase" in opening ? "this passphrase" : "these identities";
    throw new UserError(
      "cannot-decrypt",
      `the file cannot be decrypted with ${how}: ${(error as Error).message}`,
      "use the passphrase or the key that the backup was made with; `--identity FILE` names a file with a key of age",
    );
  }
}
