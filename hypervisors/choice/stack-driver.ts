import * as path from "node:path";
import type { Host } from "../../model/host";

/**
 * The driver of a stack's machines on this host: a note for each segment, because segments are the first objects of a stack
 * to be created and the last to be removed. Machines do not move between hypervisors, so `driver: auto` must not choose
 * again for an existing stack.
 */

const notesFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "driver");

export async function rememberDriver(host: Host, stack: string, segment: string, driver: string): Promise<void> {
  await host.files.writeAtomic(path.join(notesFolder(host, stack), segment), `${driver}\n`);
}

/** Removing the last segment's note also removes the folders. */
export async function forgetDriver(host: Host, stack: string, segment: string): Promise<void> {
  await host.files.remove(path.join(notesFolder(host, stack), segment));
  if (await host.files.removeIfEmpty(notesFolder(host, stack)))
    await host.files.removeIfEmpty(host.folders.stack(stack));
}

/** `undefined` while the stack has nothing on this host. */
export async function rememberedDriver(host: Host, stack: string): Promise<string | undefined> {
  for (const segment of await host.files.list(notesFolder(host, stack))) {
    const driver = (await host.files.readText(path.join(notesFolder(host, stack), segment)))?.trim();
    // Temporary files of interrupted writes have other names. Ignore everything that is not a driver's name.
    if (driver && /^[a-z]+$/.test(driver)) return driver;
  }
  return undefined;
}

export interface StackOnDriver {
  readonly stack: string;
  readonly driver: string;
}

/** Every stack of this data folder that has something on this host. */
export async function stacksOnDrivers(host: Host): Promise<readonly StackOnDriver[]> {
  const stacks = await host.files.list(path.join(host.folders.data(), "stacks"));
  const found = await Promise.all(
    stacks.map(async (stack) => ({ stack, driver: await rememberedDriver(host, stack) })),
  );
  return found.flatMap(({ stack, driver }) => (driver ? [{ stack, driver }] : []));
}
