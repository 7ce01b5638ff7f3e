import * as path from "node:path";
import { askSecretly, canAsk } from "../host/ask-on-terminal";
import { readIfPresent } from "../host/file-store";
import { UserError } from "../model/user-error";

export const PASSPHRASE_VARIABLE = "GROUNDPLANE_BACKUP_PASSPHRASE";
export const PASSPHRASE_FILE_VARIABLE = `${PASSPHRASE_VARIABLE}_FILE`;

/**
 * The passphrase of a new backup: from a variable or a file, else from the terminal. Never from the command line, which every
 * user of the host can read.
 * @throws UserError `no-passphrase`, `empty-passphrase`, `passphrase-file`, `passphrases-differ`
 */
export async function newPassphrase(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = await givenPassphrase(environment);
  if (given !== undefined) return given;
  const other = "add --recipient with a public key of age";
  const first = await ask("Passphrase of the backup: ", other);
  if ((await ask("The same again: ", other)) === first) return first;
  throw new UserError("passphrases-differ", "the two passphrases differ; no backup was written", "repeat");
}

/** The passphrase of a backup that exists, in the same ways. */
export const presentPassphrase = async (environment: NodeJS.ProcessEnv = process.env): Promise<string> =>
  (await givenPassphrase(environment)) ??
  ask("Passphrase of the backup: ", "add --identity with a file of the key that it was encrypted for");

/** `undefined` without a variable. The variable is removed: no other program needs it. */
async function givenPassphrase(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { [PASSPHRASE_VARIABLE]: passphrase, [PASSPHRASE_FILE_VARIABLE]: file } = environment;
  delete environment[PASSPHRASE_VARIABLE];
  if (passphrase !== undefined) return refuseEmpty(passphrase, `${PASSPHRASE_VARIABLE} is set, but empty`);
  if (file === undefined || file === "") return undefined;
  const text = await readIfPresent(path.resolve(file)).catch(() => undefined);
  // As Pulumi reads its file: an editor ends the line.
  if (text !== undefined) return refuseEmpty(text.trim(), `${PASSPHRASE_FILE_VARIABLE} names ${file}, which is empty`);
  throw new UserError(
    "passphrase-file",
    `${PASSPHRASE_FILE_VARIABLE} names ${file}, which cannot be read`,
    "correct the variable or the file",
  );
}

function refuseEmpty(passphrase: string, problem: string): string {
  if (passphrase !== "") return passphrase;
  throw new UserError("empty-passphrase", problem, "use a long passphrase: the backup contains all keys of the stack");
}

async function ask(question: string, otherwise: string): Promise<string> {
  if (!canAsk()) {
    throw new UserError(
      "no-passphrase",
      "a backup is encrypted, and there is no terminal to ask for a passphrase",
      `set ${PASSPHRASE_FILE_VARIABLE} or ${PASSPHRASE_VARIABLE}, or ${otherwise}`,
    );
  }
  return refuseEmpty((await askSecretly(question)) ?? "", "no passphrase was entered");
}
