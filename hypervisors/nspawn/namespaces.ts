import type { Host } from "../../model/host";
import { addNamespace, deleteNamespace } from "./commands";
import { namespacePath } from "./names";

/** Creates a named network namespace unless it exists. */
export async function ensureNamespace(host: Host, namespace: string): Promise<void> {
  const file = namespacePath(namespace);
  if (await host.kernel.isNamespace(file)) return;
  // An empty file remains when the creation was interrupted or the namespace was unmounted.
  await removeNamespace(host, namespace);
  await host.run(addNamespace(namespace));
}

/** Removes a namespace and every interface in it. */
export async function removeNamespace(host: Host, namespace: string): Promise<void> {
  if (!(await host.files.exists(namespacePath(namespace)))) return;
  // For a file on which nothing is mounted, `ip` reports a failure but removes the file.
  await host.run(deleteNamespace(namespace), { allowedExitCodes: [0, 1, 255] });
}

export const namespaceExists = (host: Host, namespace: string): Promise<boolean> =>
  host.kernel.isNamespace(namespacePath(namespace));
