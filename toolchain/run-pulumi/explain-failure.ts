import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import * as path from "node:path";
import { dataFolder, localStateFile } from "../../host/data-folder";
import { readJson } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { chooseBackend } from "../pulumi-environment";
import { hasLocalState, type LocalState } from "./prepare-stack";

/**
 * What an output of Pulumi means to users, where its own words do not help them.
 * @param env of `pulumiEnvironment`
 */
export async function explainFailure(
  stack: string,
  said: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<UserError | undefined> {
  if (!/incorrect passphrase/.test(said)) return unusableBackend(stack, said);
  const source = sourceOfPassphrase({ ...process.env, ...env });
  if (await isEncryptedWith(stack, "")) {
    return wrongPassphrase(
      `the secrets of ${stack} are encrypted with an empty passphrase, and ${source} has another one`,
      "encrypt them again: run `npx groundplane env`, and in its environment `PULUMI_CONFIG_PASSPHRASE= pulumi stack " +
        `change-secrets-provider passphrase --stack ${stack} < "${ownPassphraseFile()}"\``,
    );
  }
  const own = ownPassphraseFile();
  return wrongPassphrase(
    `the secrets of ${stack} are encrypted with another passphrase than that of ${source}`,
    source === own
      ? `set PULUMI_CONFIG_PASSPHRASE as when ${stack} was created, or restore ${own} from a backup`
      : `correct it; if ${stack} was created without it, unset it: groundplane then uses ${own}`,
  );
}

/** How Pulumi says that it cannot log in, or that a backend does not respond or does not exist. */
const noBackend =
  /PULUMI_ACCESS_TOKEN must be set|performing HTTP request|access token|unauthorized|problem logging in|unable to open bucket|open bucket|not a valid (?:backend|url)|unknown backend|no such host/i;

/** A failure of a backend that the user's environment or login chose, perhaps for another project. */
async function unusableBackend(stack: string, said: string): Promise<UserError | undefined> {
  const backend = await chooseBackend();
  if (backend.kind === "local" || !noBackend.test(said)) return undefined;
  const reason = /^ *error: (.*)$/m.exec(said)?.[1] ?? said.trim().split("\n").at(-1);
  const leave = backend.why.startsWith("PULUMI_") ? `unset ${backend.why}` : "run `pulumi logout`";
  const here = (await hasLocalState(stack)) ? `, which has ${stack}` : "";
  return new UserError(
    "backend-unusable",
    `Pulumi cannot use the backend that ${backend.why} chooses for its state: ${reason}`,
    `to use the state on this host${here}, ${leave}; to use that backend, correct its address or log in: \`pulumi login\``,
  );
}

const wrongPassphrase = (problem: string, hint: string): UserError => new UserError("wrong-passphrase", problem, hint);

const ownPassphraseFile = (): string => path.join(dataFolder(), "passphrase");

function sourceOfPassphrase(env: Readonly<Record<string, string | undefined>>): string {
  const { PULUMI_CONFIG_PASSPHRASE: variable, PULUMI_CONFIG_PASSPHRASE_FILE: file = "" } = env;
  if (variable !== undefined) return "PULUMI_CONFIG_PASSPHRASE";
  return file === ownPassphraseFile() ? file : `PULUMI_CONFIG_PASSPHRASE_FILE (${file})`;
}

const ITERATIONS = 1_000_000;
const TAG_BYTES = 16;

/** Decrypts the text that Pulumi encrypts as a check. Takes half a second. False where the state is elsewhere. */
export async function isEncryptedWith(stack: string, passphrase: string): Promise<boolean> {
  const state = await readJson<LocalState>(localStateFile(stack)).catch(() => undefined);
  const [, salt, , nonce, sealed] = state?.checkpoint?.latest?.secrets_providers?.state?.salt?.split(":") ?? [];
  if (!salt || !nonce || !sealed) return false;
  const bytes = (base64: string): Buffer => Buffer.from(base64, "base64");
  const key = pbkdf2Sync(passphrase, bytes(salt), ITERATIONS, 32, "sha256");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes(nonce));
  const text = bytes(sealed);
  decipher.setAuthTag(text.subarray(-TAG_BYTES));
  try {
    return decipher.update(text.subarray(0, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8") === "pulumi";
  } catch {
    return false;
  }
}
