import type { Host } from "../../model/host";
import { addNamespace, deleteNamespace } from "./commands";
import { namespacePath } from "./names";

/** Makes a named network namespace unless it is there. */
export async function ensureNamespace(host: Host, namespace: string): Promise<void> {
  const file = namespacePath(namespace);
  if (await host.kernel.isNamespace(file)) return;
  // An empty file is what remains when the creation was interrupted or somebody unmounted the namespace.
  await removeNamespace(host, namespace);
  await host.run(addNamespace(namespace));
}

/** Removes a namespace with every interface in it. */
export async function removeNamespace(host: Host, namespace: string): Promise<void> {
  if (!(await host.files.exists(namespacePath(namespace)))) return;
  // `ip` reports a file that nothing is mounted on as a failure, yet removes it.
  await host.run(deleteNamespace(namespace), { allowedExitCodes: [0, 1, 255] });
}

export const namespaceExists = (host: Host, namespace: string): Promise<boolean> =>
  host.kernel.isNamespace(namespacePath(namespace));
