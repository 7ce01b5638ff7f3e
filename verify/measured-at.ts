import * as os from "node:os";
import { projectFolder } from "../host/project-folder";
import { runCommand } from "../host/run-command";
import type { MeasuredAt } from "../model/contract-report";

/** Documents and recorded figures do not change what is measured. */
const UNMEASURED = [":(exclude)*.md", ":(exclude)model/measured"];

/** The state of the sources and of the host before a measurement. */
export async function measuredAt(): Promise<MeasuredAt> {
  const commit = await sourceCommit();
  return { ...(commit === undefined ? {} : { commit }), date: new Date().toISOString(), load: loadPerCore() };
}

/** `-dirty` marks sources that differ from the commit; undefined outside a git checkout. */
export async function sourceCommit(): Promise<string | undefined> {
  try {
    const commit = (await git("rev-parse", "HEAD")).trim();
    const status = await git("status", "--porcelain", "--untracked-files=all", "--", ".", ...UNMEASURED);
    return changesSources(status) ? `${commit}-dirty` : commit;
  } catch {
    return undefined;
  }
}

/** @param status of `git status --porcelain`: a user's own stack is no source, and `groundplane start` creates its file */
export const changesSources = (status: string): boolean =>
  status.split("\n").some((line) => line !== "" && !/^\?\? stacks\/Pulumi\.[^/]*\.yaml$/.test(line));

const loadPerCore = (): number => Number(((os.loadavg()[0] ?? 0) / os.availableParallelism()).toFixed(2));

const git = async (...words: readonly string[]): Promise<string> =>
  (await runCommand(["git", ...words], { cwd: projectFolder() })).stdout;
