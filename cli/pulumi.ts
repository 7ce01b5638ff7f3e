import { exists } from "../host/file-store";
import { runAttached } from "../host/run-attached";
import { runCommand } from "../host/run-command";
import { UserError } from "../model/user-error";
import { findPulumi, obtainPulumi } from "../toolchain/obtain-pulumi";
import { chooseBackend, pulumiEnvironment } from "../toolchain/pulumi-environment";
import { localStateFile } from "../toolchain/stack-salt";
import { say } from "./print";
import { projectFolder } from "./project";

/** False only when it is certain, which costs nothing: a local backend has no state of the stack. */
export async function isKnownToPulumi(stack: string): Promise<boolean> {
  return (await chooseBackend()).kind !== "local" || exists(localStateFile(stack));
}

/** Asks Pulumi something about a stack and returns its answer; its words on failure are kept out of stdout. */
export async function askPulumi(stack: string, words: readonly string[]): Promise<string> {
  const cli = await findPulumi();
  if (!cli) throw new UserError("no-pulumi", "Pulumi is not here yet", "`npm start` obtains it");
  const env = await pulumiEnvironment(cli.binFolder);
  const argv = ["pulumi", ...words, "--stack", stack, "--non-interactive"];
  return (await runCommand(argv, { cwd: projectFolder, env })).stdout;
}

/** Lets Pulumi work on a stack on this terminal, obtaining it first. Returns its exit code. */
export async function letPulumi(stack: string, words: readonly string[]): Promise<number> {
  const cli = await obtainPulumi({ progress: say });
  const env = await pulumiEnvironment(cli.binFolder);
  return runAttached(["pulumi", ...words, "--stack", stack], { cwd: projectFolder, env });
}
