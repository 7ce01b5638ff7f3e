import { exists } from "../../host/file-store";
import { isNamespaceFile } from "../../host/kernel-files";
import { runCommand } from "../../host/run-command";
import { addNamespace, deleteNamespace } from "./commands";
import { namespacePath } from "./names";

/** Makes a named network namespace unless it is there. */
export async function ensureNamespace(namespace: string): Promise<void> {
  const file = namespacePath(namespace);
  if (await isNamespaceFile(file)) return;
  // An empty file is what remains when the creation was interrupted or somebody unmounted the namespace.
  await removeNamespace(namespace);
  await runCommand(addNamespace(namespace));
}

/** Removes a namespace with every interface in it. */
export async function removeNamespace(namespace: string): Promise<void> {
  if (!(await exists(namespacePath(namespace)))) return;
  // `ip` reports a file that nothing is mounted on as a failure, yet removes it.
  await runCommand(deleteNamespace(namespace), { allowedExitCodes: [0, 1, 255] });
}

export const namespaceExists = (namespace: string): Promise<boolean> => isNamespaceFile(namespacePath(namespace));
