import * as path from "node:path";
import type { Command } from "commander";
import { stackFolder } from "../../host/data-folder";
import { writeFileAtomic } from "../../host/file-store";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { print } from "../print";

export function kubeconfigCommand(): Command {
  return stackCommand("kubeconfig", "print the administrator's kubeconfig")
    .option("--path", "write it to a file that only you can read, and print the file's path")
    .action(async ({ stack, path: asPath }: StackOptions & { readonly path?: boolean }) => {
      const { kubeconfig } = await readOutputs(stack);
      print(asPath ? await writeKubeconfig(stack, kubeconfig) : kubeconfig);
    });
}

/** Returns the file's path. */
export async function writeKubeconfig(stack: string, kubeconfig: string): Promise<string> {
  const file = path.join(stackFolder(stack), "kubeconfig");
  await writeFileAtomic(file, kubeconfig, 0o600);
  return file;
}
