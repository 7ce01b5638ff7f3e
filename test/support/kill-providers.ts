import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { ProjectCopy } from "./project-copy";

/** The provider's processes of one project. */
export const providersOf = ({ folder }: Pick<ProjectCopy, "folder">): readonly string[] =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isProvider(name, folder));

/** Kills the provider's processes of one project. */
export async function killProviders(project: Pick<ProjectCopy, "folder">): Promise<void> {
  const pids = providersOf(project);
  assert.ok(pids.length > 0, "a provider runs");
  for (const pid of pids) kill(Number(pid));
}

/** One that has ended meanwhile is killed, too. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function isProvider(pid: string, folder: string): boolean {
  try {
    const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word) => word.startsWith(folder) && word.endsWith("provider.js"));
  } catch {
    return false;
  }
}
