import { CommandError } from "../model/commands";
import type { StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";
import { askPulumi, isKnownToPulumi } from "./pulumi";

/** The stack's outputs with their secrets. Throws `UserError` when it is not up. */
export async function readStackOutputs(stack: string): Promise<StackOutputs> {
  if (!(await isKnownToPulumi(stack))) throw notUp(stack);
  const text = await askPulumi(stack, ["stack", "output", "--json", "--show-secrets"]).catch((error: unknown) => {
    if (error instanceof CommandError && /no stack named/i.test(error.stderr)) return "{}";
    throw error;
  });
  const outputs = JSON.parse(text) as Partial<StackOutputs>;
  if (outputs.inventory === undefined || outputs.sshPrivateKey === undefined) throw notUp(stack);
  return outputs as StackOutputs;
}

const notUp = (stack: string): UserError =>
  new UserError(
    "stack-not-up",
    `the stack ${stack} is not up`,
    `\`npx groundplane start --stack ${stack}\` brings it up`,
  );
