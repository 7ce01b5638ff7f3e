import * as path from "node:path";
import { exists } from "../../host/file-store";
import { projectFolder, stackFile } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import { chooseBackend } from "../pulumi-environment";
import { dropForeignSalt, keepSaltOutOfGit, localStateFile } from "../stack-salt";
import { removeStaleLocks } from "../stale-locks";

/**
 * Makes Pulumi know the stack in the backend that is in use.
 * @param env of `pulumiEnvironment`
 */
export async function prepareStack(stack: string, env: Readonly<Record<string, string>>): Promise<void> {
  const isLocal = (await chooseBackend()).kind === "local";
  if (isLocal) {
    await dropForeignSalt(stack, path.join(projectFolder(), stackFile(stack)));
    await removeStaleLocks(stack);
  }
  if (!isLocal || !(await exists(localStateFile(stack)))) {
    const argv = ["pulumi", "stack", "select", "--create", stack, "--non-interactive"];
    await runCommand(argv, { cwd: projectFolder(), env });
  }
}

/** For after an `up`, which may have written the salt again. */
export async function settleStackFile(stack: string): Promise<void> {
  if ((await chooseBackend()).kind === "local") await keepSaltOutOfGit(projectFolder(), stackFile(stack));
}
