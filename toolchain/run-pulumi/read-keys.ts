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
  const keys = keysIn(await exportState(stack));
  if (keys && Object.keys(keys).length > 0) return keys;
  throw new UserError("no-keys", `the state of ${stack} has no keys`, "`npx groundplane start` brings the stack up");
}

/** Every text that the state encrypts: the keys, and the secret outputs of the stack. */
export const readSecretTexts = async (stack: string): Promise<readonly string[]> =>
  secretTextsIn(await exportState(stack));

const exportState = (stack: string): Promise<string> =>
  askPulumi(stack, ["stack", "export", "--show-secrets", "--stack", stack]);

/** @param exported the output of `pulumi stack export --show-secrets` */
export function keysIn(exported: string): Readonly<Record<string, string>> | undefined {
  const resource = resourcesIn(exported).find(({ type }) => type === "groundplane:index:ClusterSecrets");
  const values = plain(resource?.outputs?.values).value;
  if (typeof values !== "object" || values === null) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(plain(value).value)]));
}

/** @param exported as for `keysIn` */
export const secretTextsIn = (exported: string): readonly string[] =>
  resourcesIn(exported)
    .filter(({ type }) => /:(?:ClusterSecrets|Stack)$/.test(type))
    .flatMap(({ outputs }) => textsIn(outputs, false));

const resourcesIn = (exported: string): readonly ExportedResource[] =>
  (JSON.parse(exported) as { readonly deployment?: { readonly resources?: readonly ExportedResource[] } }).deployment
    ?.resources ?? [];

function textsIn(shown: unknown, inSecret: boolean): readonly string[] {
  const { value, isSecret } = plain(shown);
  if (typeof value === "string") return isSecret || inSecret ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((each) => textsIn(each, isSecret || inSecret));
}

/** Pulumi shows a secret as `{ plaintext: "<json>" }`, either complete or value by value. */
function plain(value: unknown): { readonly value: unknown; readonly isSecret: boolean } {
  if (typeof value !== "object" || value === null) return { value, isSecret: false };
  const { plaintext } = value as { readonly plaintext?: unknown };
  return typeof plaintext === "string" ? { value: JSON.parse(plaintext), isSecret: true } : { value, isSecret: false };
}
