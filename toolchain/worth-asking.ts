import * as path from "node:path";
import { toolsFolder } from "../host/data-folder";
import { stampFile, writeFileAtomic } from "../host/file-store";

const DAY_MS = 24 * 3_600_000;

/**
 * Whether to look again for an official program in place of which something else is installed. At most once a day, because
 * a network that drops packets delays each attempt.
 */
export async function isWorthAsking(name: string): Promise<boolean> {
  const file = path.join(toolsFolder(), `asked-for-${name}`);
  const stamp = await stampFile(file);
  if (stamp && Date.now() - stamp.modified < DAY_MS) return false;
  await writeFileAtomic(file, "");
  return true;
}
