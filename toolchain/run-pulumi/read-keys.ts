import { UserError } from "../../model/user-error";
import { askPulumi } from "./pulumi-command";

interface ExportedResource {
  readonly type: string;
  readonly outputs?: { readonly values?: unknown };
}

/**
 * All keys of a stack by name, from its state. Secret: only for an encrypted file.
 * @throws UserError `no-keys`, or as `readStackOutputs`
 */
export async function readStackKeys(stack: string): Promise<Readonly<Record<string, string>>> {
  const text = await askPulumi(stack, ["stack", "export", "--show-secrets", "--stack", stack]);
  const keys = keysIn(text);
  if (keys && Object.keys(keys).length > 0) return keys;
  throw new UserError("no-keys", `the state of ${stack} has no keys`, "`npx groundplane start` brings the stack up");
}

/** @param exported the output of `pulumi stack export --show-secrets` */
export function keysIn(exported: string): Readonly<Record<string, string>> | undefined {
  const { deployment } = JSON.parse(exported) as { readonly deployment: { readonly resources?: ExportedResource[] } };
  const resource = deployment.resources?.find(({ type }) => type === "groundplane:index:ClusterSecrets");
  const values = plain(resource?.outputs?.values);
  if (typeof values !== "object" || values === null) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(plain(value))]));
}

/** Pulumi shows a secret as `{ plaintext: "<json>" }`, either complete or value by value. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("plaintext" in value)) return value;
  return JSON.parse((value as { readonly plaintext: string }).plaintext);
}
