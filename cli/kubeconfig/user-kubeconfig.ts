import { dataFolder } from "../../host/data-folder";
import { readIfPresent } from "../../host/file-store";
import { changeKubeconfig, fileForNewContext, kubeconfigFiles, namesOnlyOwnFiles } from "../../host/kubeconfig-file";
import { forStack } from "../../model/next-step";
import {
  contextName,
  hasCurrentContext,
  hasStacks,
  mergeKubeconfig,
  type Owner,
  unmergeKubeconfig,
} from "./merge-kubeconfig";

const ownerOf = (stack: string): Owner => ({ stack, data: dataFolder() });

/** A copy must not keep the keys of a stack, which outlive its removal from the kubeconfig. */
const isKept = (former: string): boolean => !hasStacks(former);

/** Adds the stack to the user's kubeconfig, or brings it up to date there. Returns what was done, as lines for the user. */
export async function mergeIntoKubeconfig(stack: string, kubeconfig: string): Promise<readonly string[]> {
  const [owner, name] = [ownerOf(stack), contextName(stack)];
  const files = kubeconfigFiles();
  const present = (await filesWith(files, owner))[0] ?? (await fileForNewContext(files));
  const hasCurrent = await haveCurrentContext(files.filter((each) => each !== present));
  const merge = (text: string): string => mergeKubeconfig(text, kubeconfig, owner, hasCurrent);
  const { file, isChanged, backup } = await changeKubeconfig(present, merge, isKept);
  const reading = namesOnlyOwnFiles()
    ? [`kubectl does not read it while KUBECONFIG names groundplane's own file: \`unset KUBECONFIG\` first`]
    : [];
  if (!isChanged) return [`${file} has the context ${name} already; no changes`, ...reading];
  return [
    `${file} has the context ${name}${backup === undefined ? "" : `; the former file is ${backup}`}`,
    ...reading,
    `\`kubectl --context ${name} get nodes\` uses it, \`kubectl config use-context ${name}\` makes it the current one`,
  ];
}

/** Removes the stack from every kubeconfig of the user that has it. */
export async function removeFromKubeconfig(stack: string): Promise<readonly string[]> {
  const owner = ownerOf(stack);
  const lines: string[] = [];
  for (const file of await filesWith(kubeconfigFiles(), owner)) {
    await changeKubeconfig(file, (text) => unmergeKubeconfig(text, owner), isKept);
    lines.push(`${file} no longer has the context ${contextName(stack)}`);
  }
  return lines;
}

/** The same for a stack that is destroyed: a kubeconfig that cannot be changed is no reason to keep it. */
export const forgetInKubeconfig = (stack: string): Promise<readonly string[]> =>
  removeFromKubeconfig(stack).catch(({ message }: Error) => [
    forStack(
      `its context stays in your kubeconfig, \`npx groundplane kubeconfig --unmerge\` removes it: ${message.split("\n")[0]}`,
      stack,
    ),
  ]);

/** A file that cannot be read may have one. */
async function haveCurrentContext(files: readonly string[]): Promise<boolean> {
  const found = files.map((file) => readIfPresent(file).then((text = "") => hasCurrentContext(text)));
  return (await Promise.allSettled(found)).some((each) => each.status === "rejected" || each.value);
}

/** A file that cannot be read as a kubeconfig has none of ours. */
async function filesWith(files: readonly string[], owner: Owner): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    const text = await readIfPresent(file).catch(() => undefined);
    if (text !== undefined && hasStack(text, owner)) found.push(file);
  }
  return found;
}

function hasStack(text: string, owner: Owner): boolean {
  try {
    return unmergeKubeconfig(text, owner) !== text;
  } catch {
    return false;
  }
}
