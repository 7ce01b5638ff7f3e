import { CommandError } from "../provider/host/run-command";
import { UserError } from "../provider/host/user-error";
import { askPulumi, isKnownToPulumi } from "./pulumi";

/** What a stack that is up tells about itself, see components/data-center-outputs.ts. */
export interface StackOutputs {
  readonly apiEndpoint: string;
  readonly clusterEndpoint: string;
  readonly kubeconfig: string;
  readonly gatewaySsh: { readonly host: string; readonly port: number; readonly hostKey: string };
  readonly sshPrivateKey: string;
  readonly inventory: readonly InventoryEntry[];
  readonly knownHosts: string;
}

export interface InventoryEntry {
  readonly name: string;
  readonly role: string;
  readonly address: string;
  readonly fqdn: string;
  readonly macs: readonly string[];
  readonly hostKey: string;
}

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

export function findNode(outputs: StackOutputs, name: string): InventoryEntry {
  const node = outputs.inventory.find((entry) => entry.name === name);
  if (node) return node;
  const names = outputs.inventory.map((entry) => entry.name).join(", ");
  throw new UserError("no-such-node", `the stack has no node called ${JSON.stringify(name)}`, `use one of: ${names}`);
}

const notUp = (stack: string): UserError =>
  new UserError(
    "stack-not-up",
    `the stack ${stack} is not up`,
    `\`npx groundplane start --stack ${stack}\` brings it up`,
  );
