import * as os from "node:os";
import * as path from "node:path";
import { stateFolder } from "../host/data-folder";
import { listFolder, readJson, removeTree } from "../host/file-store";
import { isProcessAlive } from "../host/start-process";

interface PulumiLock {
  readonly pid: number;
  readonly hostname: string;
}

/**
 * Removes the locks of Pulumi processes that have ended: a killed one leaves its lock in a local backend. Locks of other
 * hosts and of running processes stay.
 */
export async function removeStaleLocks(stack: string): Promise<void> {
  const folder = path.join(stateFolder(), ".pulumi", "locks", "organization", "groundplane", stack);
  for (const name of await listFolder(folder)) {
    const file = path.join(folder, name);
    const lock = await readJson<PulumiLock>(file).catch(() => undefined);
    if (!lock || lock.hostname !== os.hostname() || isProcessAlive(lock.pid)) continue;
    await removeTree(file);
  }
}
