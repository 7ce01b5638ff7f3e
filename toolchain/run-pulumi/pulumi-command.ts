import { stateFolder } from "../../host/data-folder";
import { diskFull } from "../../host/file-errors";
import { followedHostKeys } from "../../host/followed-host-keys";
import { runAttached } from "../../host/foreground-commands";
import { freeGiB } from "../../host/host-capacity";
import { projectFolder } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import { CommandError } from "../../model/commands";
import { type StackOutputs, withoutEndedHostKeys } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { findPulumi, obtainPulumi } from "../obtain-pulumi";
import { chooseBackend, pulumiEnvironment } from "../pulumi-environment";
import { explainFailure } from "./explain-failure";
import { refuseOtherUser, stackNotUp } from "./other-user";
import { hasLocalState } from "./prepare-stack";

/**
 * False only when a local backend has no state of the stack; another backend is not asked.
 * @throws UserError `other-user`
 */
export async function isKnownToPulumi(stack: string): Promise<boolean> {
  await refuseOtherUser(stack);
  if ((await chooseBackend()).kind !== "local") return true;
  return hasLocalState(stack);
}

/** Runs a Pulumi command that only reads. Returns its stdout. */
export async function askPulumi(stack: string, words: readonly string[]): Promise<string> {
  const cli = await findPulumi();
  if (!cli) throw new UserError("no-pulumi", "Pulumi is not installed yet", "`npm start` obtains it");
  const env = await pulumiEnvironment(cli.binFolder);
  const argv = ["pulumi", ...words, "--non-interactive"];
  const { stdout } = await runCommand(argv, { cwd: projectFolder(), env }).catch(explaining(stack, env));
  return stdout;
}

/** Rethrows the failure of a Pulumi command with what it means to users. */
export const explaining =
  (stack: string, env: Readonly<Record<string, string>>) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof CommandError)) throw error;
    throw (await explainFailure(stack, `${error.stderr}\n${error.stdout}`, env)) ?? error;
  };

export interface RunPulumiOptions {
  /** Variables in addition to those of `pulumiEnvironment`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly progress: (message: string) => void;
}

/**
 * Runs a Pulumi command on this terminal; obtains Pulumi first where it is missing. Returns the exit code.
 * @throws UserError `wrong-passphrase`, `backend-unusable`, `disk-full`
 */
export async function runPulumi(stack: string, words: readonly string[], options: RunPulumiOptions): Promise<number> {
  const cli = await obtainPulumi({ progress: options.progress });
  const env = { ...(await pulumiEnvironment(cli.binFolder)), ...options.env };
  const code = await runAttached(["pulumi", ...words, "--stack", stack], { cwd: projectFolder(), env });
  // Its output went to the terminal. Reading the secrets fails for the same reason, if a passphrase or a backend is the reason.
  if (code === 0) return code;
  const isLocal = (await chooseBackend()).kind === "local";
  if (isLocal && (await freeGiB(stateFolder())) < LEAST_FREE_GIB) throw diskFull(stateFolder());
  await askPulumi(stack, secretOutputs(stack)).catch(rethrowExplained);
  return code;
}

/** A state of many machines, and Pulumi's lock. */
const LEAST_FREE_GIB = 0.001;

function rethrowExplained(error: unknown): void {
  if (error instanceof UserError && /^(?:wrong-passphrase|backend-unusable)$/.test(error.id)) throw error;
}

const secretOutputs = (stack: string): readonly string[] => [
  ...["stack", "output", "--json", "--show-secrets"],
  ...["--stack", stack],
];

/**
 * The stack's outputs with their secrets.
 * @throws UserError `stack-not-up`, `other-user`, `wrong-passphrase`
 */
export async function readStackOutputs(stack: string): Promise<StackOutputs> {
  if (!(await isKnownToPulumi(stack))) throw await stackNotUp(stack);
  const text = await askPulumi(stack, secretOutputs(stack)).catch(async (error: unknown) => {
    if (!(error instanceof CommandError) || (await isInBackend(stack))) throw error;
    throw await stackNotUp(stack);
  });
  const outputs = JSON.parse(text) as Partial<StackOutputs>;
  if (outputs.inventory === undefined || outputs.sshPrivateKey === undefined) throw await stackNotUp(stack);
  return withoutEndedHostKeys(outputs as StackOutputs, await followedHostKeys(stack));
}

/** Asks the backend, whichever it is; a name may be qualified there, e.g. `organization/groundplane/lab`. */
export async function isInBackend(stack: string): Promise<boolean> {
  const stacks = JSON.parse(await askPulumi(stack, ["stack", "ls", "--json"])) as readonly { readonly name: string }[];
  return stacks.some(({ name }) => name.split("/").at(-1) === stack);
}
