import { exists } from "../../host/file-store";
import { isNamespaceFile } from "../../host/kernel-files";
import { runCommand } from "../../host/run-command";
import { addNamespace, deleteNamespace } from "./commands";
import { namespacePath } from "./names";

/** Makes a named network namespace unless it is there. Returns whether it is new. */
export async function ensureNamespace(namespace: string): Promise<boolean> {
  const file = namespacePath(namespace);
  if (await isNamespaceFile(file)) return false;
  // An empty file is what remains when the creation was interrupted or somebody unmounted the namespace.
  await removeNamespace(namespace);
  await runCommand(addNamespace(namespace));
  return true;
}

/** Removes a namespace with every interface in it. */
export async function removeNamespace(namespace: string): Promise<void> {
  if (!(await exists(namespacePath(namespace)))) return;
  // `ip` reports a file that nothing is mounted on as a failure, yet removes it.
  await runCommand(deleteNamespace(namespace), { allowedExitCodes: [0, 1, 255] });
}

export const namespaceExists = (namespace: string): Promise<boolean> => isNamespaceFile(namespacePath(namespace));
