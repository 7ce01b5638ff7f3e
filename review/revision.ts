import * as path from "node:path";
import { makeTemporaryFolder, removeTree } from "../host/file-store";
import { projectFolder } from "../host/project-folder";
import { runCommand } from "../host/run-command";
import { CommandError } from "../model/commands";
import { UserError } from "../model/user-error";
import type { RenderResult } from "./render-stack";

/**
 * The stack as a git revision makes it; undefined when it has no such stack. Nothing of the checkout is changed: the
 * revision is unpacked into a temporary folder that goes again.
 *
 * @throws UserError `no-revision` when git does not know it, `other-revision` when it cannot be rendered
 */
export async function renderRevision(revision: string, stack: string): Promise<RenderResult | undefined> {
  const folder = await makeTemporaryFolder("groundplane-revision-");
  try {
    const archive = path.join(folder, "revision.tar");
    await git(["archive", "--format=tar", `--output=${archive}`, await commitOf(revision)]);
    await runCommand(["tar", "--extract", "--file", archive, "--directory", folder]);
    const script = path.join(projectFolder(), "review", "render-revision.cjs");
    const { stdout } = await runCommand([process.execPath, script, folder, stack]);
    const result = JSON.parse(stdout) as RenderResult | Record<string, never>;
    return "rendering" in result || "problem" in result ? (result as RenderResult) : undefined;
  } catch (error) {
    if (!(error instanceof CommandError) || error.argv[0] !== process.execPath) throw error;
    throw new UserError(
      "other-revision",
      `${revision} cannot be rendered by this revision:\n${error.stderr.trim().split("\n").slice(0, 5).join("\n")}`,
      "compare with a later revision",
    );
  } finally {
    await removeTree(folder);
  }
}

/** The full id of the commit that a name stands for. */
export async function commitOf(revision: string): Promise<string> {
  // A name that begins with a dash would be taken for an option.
  const argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const commit = await git(argv).catch(() => {
    throw new UserError(
      "no-revision",
      `git knows no revision ${JSON.stringify(revision)} here`,
      "name a branch, tag or commit; a shallow clone may have to fetch it first: `git fetch origin NAME`",
    );
  });
  return commit.trim();
}

const git = async (words: readonly string[]): Promise<string> =>
  (await runCommand(["git", ...words], { cwd: projectFolder() })).stdout;
