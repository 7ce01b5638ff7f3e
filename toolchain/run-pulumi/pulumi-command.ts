import { exists } from "../../host/file-store";
import { runAttached } from "../../host/foreground-commands";
import { projectFolder } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import type { StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { findPulumi, obtainPulumi } from "../obtain-pulumi";
import { chooseBackend, pulumiEnvironment } from "../pulumi-environment";
import { localStateFile } from "./prepare-stack";

/** False only when a local backend has no state of the stack; another backend is not asked. */
export async function isKnownToPulumi(stack: string): Promise<boolean> {
  return (await chooseBackend()).kind !== "local" || exists(localStateFile(stack));
}

/** Runs a Pulumi command that only reads. Returns its stdout. */
export async function askPulumi(words: readonly string[]): Promise<string> {
  const cli = await findPulumi();
  if (!cli) throw new UserError("no-pulumi", "Pulumi is not installed yet", "`npm start` obtains it");
  const env = await pulumiEnvironment(cli.binFolder);
  return (await runCommand(["pulumi", ...words, "--non-interactive"], { cwd: projectFolder(), env })).stdout;
}

/** Runs a Pulumi command on this terminal; obtains Pulumi first where it is missing. Returns the exit code. */
export async function runPulumi(
  stack: string,
  words: readonly string[],
  progress: (message: string) => void,
): Promise<number> {
  const cli = await obtainPulumi({ progress });
  const env = await pulumiEnvironment(cli.binFolder);
  return runAttached(["pulumi", ...words, "--stack", stack], { cwd: projectFolder(), env });
}

/**
 * The stack's outputs with their secrets.
 * @throws UserError `stack-not-up`
 */
export async function readStackOutputs(stack: string): Promise<StackOutputs> {
  if (!(await isKnownToPulumi(stack))) throw notUp(stack);
  const text = await askPulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]).catch(
    async (error: unknown) => {
      if (await isInBackend(stack)) throw error;
      throw notUp(stack);
    },
  );
  const outputs = JSON.parse(text) as Partial<StackOutputs>;
  if (outputs.inventory === undefined || outputs.sshPrivateKey === undefined) throw notUp(stack);
  return outputs as StackOutputs;
}

/** Asks the backend, whichever it is; a name may be qualified there, e.g. `organization/groundplane/lab`. */
async function isInBackend(stack: string): Promise<boolean> {
  const stacks = JSON.parse(await askPulumi(["stack", "ls", "--json"])) as readonly { readonly name: string }[];
  return stacks.some(({ name }) => name.split("/").at(-1) === stack);
}

const notUp = (stack: string): UserError =>
  new UserError(
    "stack-not-up",
    `the stack ${stack} is not up`,
    `\`npx groundplane start --stack ${stack}\` brings it up`,
  );
