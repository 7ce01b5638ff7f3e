import * as os from "node:os";
import * as path from "node:path";
import { sshFilesOf } from "../../guests/ssh-files";
import { dataFolder, stackFolder } from "../../host/data-folder";
import { currentUser } from "../../host/file-access";
import { readIfPresent, realPath } from "../../host/file-store";
import { projectFolder } from "../../host/project-folder";
import { readSecretTexts } from "../../toolchain/run-pulumi/read-keys";
import type { PrivateWords } from "./redact";

/** Names of variables whose values are secret. */
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSPHRASE$|CREDENTIAL|PRIVATE|_KEY$/i;
/** They say nothing about a user, and are in paths and logs everywhere. */
const common = new Set(["root", "localhost", "debian", "ubuntu", "admin", "user"]);

export interface Learned {
  readonly words: PrivateWords;
  /** Why Pulumi did not tell the stack's secrets: they are then found by their form and in the stack's files only. */
  readonly unknown?: string;
}

/** What a report of the stack must not contain. */
export async function learnPrivateWords(stack: string): Promise<Learned> {
  const told = await readSecretTexts(stack).then(
    (secrets) => ({ secrets }),
    (error: unknown) => ({ secrets: [], unknown: error instanceof Error ? error.message : String(error) }),
  );
  const { key } = sshFilesOf(stack);
  const files = [
    path.join(dataFolder(), "passphrase"),
    ...(process.env.PULUMI_CONFIG_PASSPHRASE_FILE ? [process.env.PULUMI_CONFIG_PASSPHRASE_FILE] : []),
    ...[key, path.join(stackFolder(stack), "kubeconfig")],
  ];
  const contents = await Promise.all(files.map((file) => readIfPresent(file).catch(() => undefined)));
  const variables = Object.entries(process.env).filter(([name]) => SECRET_NAME.test(name));
  const secrets = [...told.secrets, ...contents, ...variables.map(([, value]) => value)];
  const words = {
    secrets: secrets.filter((secret) => secret !== undefined),
    folders: await privateFolders(),
    names: privateNames(),
  };
  return "unknown" in told ? { words, unknown: told.unknown } : { words };
}

async function privateFolders(): Promise<Readonly<Record<string, string>>> {
  const known = { [dataFolder()]: "<data>", [projectFolder()]: "<clone>", [os.homedir()]: "~" };
  const real = await Promise.all(
    Object.entries(known).map(async ([folder, shown]) => [(await realPath(folder)) ?? folder, shown] as const),
  );
  return { ...Object.fromEntries(real), ...known };
}

function privateNames(): Readonly<Record<string, string>> {
  const named = { [currentUser()]: "<user>", [os.hostname()]: "<host>" };
  return Object.fromEntries(Object.entries(named).filter(([name]) => name.length > 2 && !common.has(name)));
}
