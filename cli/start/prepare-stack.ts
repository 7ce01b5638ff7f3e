import * as path from "node:path";
import { exists } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { chooseBackend } from "../../toolchain/pulumi-environment";
import { dropForeignSalt, keepSaltOutOfGit, localStateFile } from "../../toolchain/stack-salt";
import { removeStaleLocks } from "../../toolchain/stale-locks";
import { projectFolder, stackFile } from "../project";

/**
 * Sees to it that Pulumi knows the stack, in the backend that is in use.
 * @param env of `pulumiEnvironment`
 */
export async function prepareStack(stack: string, env: Readonly<Record<string, string>>): Promise<void> {
  const isLocal = (await chooseBackend()).kind === "local";
  if (isLocal) {
    await dropForeignSalt(stack, path.join(projectFolder, stackFile(stack)));
    await removeStaleLocks(stack);
  }
  if (!isLocal || !(await exists(localStateFile(stack)))) {
    const argv = ["pulumi", "stack", "select", "--create", stack, "--non-interactive"];
    await runCommand(argv, { cwd: projectFolder, env });
  }
}

/** After an `up`, which may have written the salt again. */
export async function settleStackFile(stack: string): Promise<void> {
  if ((await chooseBackend()).kind === "local") await keepSaltOutOfGit(projectFolder, stackFile(stack));
}
