import * as path from "node:path";
import { stateFolder } from "../host/data-folder";
import { exists, readIfPresent, readJson, writeFileAtomic } from "../host/file-store";
import { runCommand } from "../host/run-command";

/**
 * Pulumi writes the salt of the passphrase into the stack's file, as `encryptionsalt`. With a local backend, passphrase
 * and state belong to this host, and so does the salt; the state keeps a copy and PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER
 * makes Pulumi use it. So the line may be dropped at any time, and must never get into the project's history.
 */
const SALT_LINE = /^encryptionsalt:\s*(\S+)[ \t]*\n?/m;

interface LocalState {
  readonly checkpoint?: {
    readonly latest?: { readonly secrets_providers?: { readonly state?: { readonly salt?: string } } };
  };
}

export const localStateFile = (stack: string): string =>
  path.join(stateFolder(), ".pulumi", "stacks", "groundplane", `${stack}.json`);

/** Drops a salt that is not the state's: from another host, or from a state that has been deleted since. */
export async function dropForeignSalt(stack: string, stackFile: string): Promise<void> {
  const text = (await readIfPresent(stackFile)) ?? "";
  const written = SALT_LINE.exec(text)?.[1];
  // Encrypted settings would be lost with their salt: then Pulumi says what is wrong.
  if (written === undefined || /^\s*secure:/m.test(text)) return;
  const state = await readJson<LocalState>(localStateFile(stack));
  if (state?.checkpoint?.latest?.secrets_providers?.state?.salt === written) return;
  await writeFileAtomic(stackFile, text.replace(SALT_LINE, ""));
}

/** Makes git see the shipped stack files without that line (.gitattributes names them), in this clone only. */
export async function keepSaltOutOfGit(projectFolder: string, stackFile: string): Promise<void> {
  if (!(await exists(path.join(projectFolder, ".git")))) return;
  const git = (words: readonly string[]) => runCommand(["git", "-C", projectFolder, ...words]);
  try {
    await git(["config", "--local", "filter.groundplane-stack.clean", "sed /^encryptionsalt:/d"]);
    await git(["ls-files", "--error-unmatch", "--", stackFile]);
    // A file of another size counts as changed until git has looked into it. Nothing is staged by this: it is done only
    // when nothing but the salt differs.
    await git(["diff", "--quiet", "--", stackFile]);
    await git(["add", "--", stackFile]);
  } catch {
    // No git, no file of its own, a change of the user's, or another git at work: nothing to be kept out, or later.
  }
}
