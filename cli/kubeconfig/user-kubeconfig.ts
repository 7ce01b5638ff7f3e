import { dataFolder } from "../../host/data-folder";
import { readIfPresent } from "../../host/file-store";
import { changeKubeconfig, fileForNewContext, kubeconfigFiles } from "../../host/kubeconfig-file";
import { contextName, mergeKubeconfig, type Owner, unmergeKubeconfig } from "./merge-kubeconfig";

const ownerOf = (stack: string): Owner => ({ stack, data: dataFolder() });

/** Adds the stack to the user's kubeconfig, or brings it up to date there. Returns what was done, as lines for the user. */
export async function mergeIntoKubeconfig(stack: string, kubeconfig: string): Promise<readonly string[]> {
  const owner = ownerOf(stack);
  const files = kubeconfigFiles();
  const present = (await filesWith(files, owner))[0] ?? (await fileForNewContext(files));
  const { file, isChanged, backup } = await changeKubeconfig(present, (text) =>
    mergeKubeconfig(text, kubeconfig, owner),
  );
  if (!isChanged) return [`${file} has the context ${contextName(stack)} already; no changes`];
  return [
    `${file} has the context ${contextName(stack)}${backup === undefined ? "" : `; the former file is ${backup}`}`,
    `\`kubectl --context ${contextName(stack)} get nodes\` uses it, \`kubectl config use-context ${contextName(stack)}\` makes it the current one`,
  ];
}

/** Removes the stack from every kubeconfig of the user that has it. */
export async function removeFromKubeconfig(stack: string): Promise<readonly string[]> {
  const owner = ownerOf(stack);
  const lines: string[] = [];
  for (const file of await filesWith(kubeconfigFiles(), owner)) {
    const { backup } = await changeKubeconfig(file, (text) => unmergeKubeconfig(text, owner));
    lines.push(`${file} no longer has the context ${contextName(stack)}; the former file is ${backup}`);
  }
  return lines;
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
