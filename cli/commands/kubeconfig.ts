import * as path from "node:path";
import { type Command, Option } from "commander";
import { stackFolder } from "../../host/data-folder";
import { writeFileAtomic } from "../../host/file-store";
import { contextName } from "../kubeconfig/merge-kubeconfig";
import { mergeIntoKubeconfig, removeFromKubeconfig } from "../kubeconfig/user-kubeconfig";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { print, say } from "../print";

interface KubeconfigOptions extends StackOptions {
  readonly path?: boolean;
  readonly merge?: boolean;
  readonly unmerge?: boolean;
}

export function kubeconfigCommand(): Command {
  return stackCommand("kubeconfig", "print the administrator's kubeconfig")
    .option("--path", "write it to a file that only you can read, and print the file's path")
    .addOption(
      new Option("--merge", "add it to the kubeconfig of kubectl (KUBECONFIG, else ~/.kube/config), or update it there")
        .conflicts("path")
        .conflicts("unmerge"),
    )
    .addOption(new Option("--unmerge", "remove it from there; needs no running stack").conflicts("path"))
    .addHelpText(
      "after",
      "\nA merge keeps all other contexts, and the current one. Merge again after a rotation of keys; `destroy` removes the context.",
    )
    .action(async ({ stack, path: asPath, merge, unmerge }: KubeconfigOptions) => {
      if (unmerge) return unmergeStack(stack);
      const { kubeconfig } = await readOutputs(stack);
      if (merge) for (const line of await mergeIntoKubeconfig(stack, kubeconfig)) say(line);
      else print(asPath ? await writeKubeconfig(stack, kubeconfig) : kubeconfig);
    });
}

async function unmergeStack(stack: string): Promise<void> {
  const lines = await removeFromKubeconfig(stack);
  if (lines.length === 0) say(`no kubeconfig has the context ${contextName(stack)} of this stack; no changes`);
  for (const line of lines) say(line);
}

/** Returns the file's path. */
export async function writeKubeconfig(stack: string, kubeconfig: string): Promise<string> {
  const file = path.join(stackFolder(stack), "kubeconfig");
  await writeFileAtomic(file, kubeconfig, 0o600);
  return file;
}
