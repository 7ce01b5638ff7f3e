import * as path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { localStateFile, stateFolder } from "../../host/data-folder";
import { listFolder, readBytes } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { UserError } from "../../model/user-error";
import { runningLocks } from "./prepare-stack";

export interface LocalStateText {
  readonly stack: string;
  readonly text: string;
}

/** A state, also the copy that Pulumi keeps of a removed one: it can be restored. */
const STATE_FILE = /^(.+?)\.json(\.gz|\.zst)?(?:\.bak)?$/;

/**
 * Every state of the local backend as text. Other backends are not asked.
 * @throws UserError `state-unreadable`
 */
export async function localStates(): Promise<readonly LocalStateText[]> {
  const folder = path.dirname(localStateFile("any"));
  const found = await Promise.all(
    (await listFolder(folder)).map(async (name) => {
      const [, stack, form] = STATE_FILE.exec(name) ?? [];
      return stack === undefined ? [] : [{ stack, text: await readState(path.join(folder, name), form) }];
    }),
  );
  return found.flat();
}

async function readState(file: string, form: string | undefined): Promise<string> {
  try {
    if (form === ".zst") return (await runCommand(["zstd", "--decompress", "--quiet", "--stdout", file])).stdout;
    const bytes = (await readBytes(file)) ?? Buffer.alloc(0);
    return (form === ".gz" ? await promisify(gunzip)(bytes) : bytes).toString();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = "correct the file's permissions, or move it elsewhere if it is damaged and no longer needed";
    throw new UserError("state-unreadable", `the state ${file} cannot be read: ${reason}`, hint, { cause });
  }
}

/** The stacks of the local backend on which a Pulumi of this host works now. */
export async function stacksInWork(): Promise<readonly string[]> {
  const folder = path.join(stateFolder(), ".pulumi", "locks", "organization", "groundplane");
  const stacks = await listFolder(folder);
  const locks = await Promise.all(stacks.map((stack) => runningLocks(stack)));
  return stacks.filter((_, index) => (locks[index] ?? []).length > 0);
}
