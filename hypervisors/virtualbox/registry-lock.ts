import * as path from "node:path";
import type { Host } from "../../model/host";

/** This user's VirtualBox folder: the registry of machines and media, served by one VBoxSVC. */
export function registryFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
): string {
  if (env.VBOX_USER_HOME) return env.VBOX_USER_HOME;
  if (platform === "win32") return path.win32.join(home, ".VirtualBox");
  if (platform === "darwin") return path.posix.join(home, "Library", "VirtualBox");
  return path.posix.join(env.XDG_CONFIG_HOME || path.posix.join(home, ".config"), "VirtualBox");
}

/** Long enough for the concurrent creation of machines of several stacks. */
const WAIT_MS = 900_000;

/**
 * The lock around every call, including reads, of all processes that use the same registry. Parallel calls crash
 * VBoxSVC and fail at random.
 */
export function withRegistryLock<T>(host: Host, action: () => Promise<T>): Promise<T> {
  const registry = registryFolder(host.facts.env, host.facts.platform, host.facts.homeFolder);
  return host.locks.withLock(path.join(registry, "groundplane"), action, { timeoutMs: WAIT_MS, childrenOutlive: true });
}
