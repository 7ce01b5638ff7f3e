import * as path from "node:path";
import type { Host } from "../../model/host";

/**
 * Which driver has a stack's machines on this host: a note for each segment, because segments are the first things a
 * stack has and the last it loses. Machines do not move between hypervisors, so `driver: auto` must not choose anew for
 * a stack that exists.
 */

const notesFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "driver");

export async function rememberDriver(host: Host, stack: string, segment: string, driver: string): Promise<void> {
  await host.files.writeAtomic(path.join(notesFolder(host, stack), segment), `${driver}\n`);
}

/** The last segment's note takes the folders along. */
export async function forgetDriver(host: Host, stack: string, segment: string): Promise<void> {
  await host.files.remove(path.join(notesFolder(host, stack), segment));
  if (await host.files.removeIfEmpty(notesFolder(host, stack)))
    await host.files.removeIfEmpty(host.folders.stack(stack));
}

/** `undefined` while the stack has nothing on this host. */
export async function rememberedDriver(host: Host, stack: string): Promise<string | undefined> {
  for (const segment of await host.files.list(notesFolder(host, stack))) {
    const driver = (await host.files.readText(path.join(notesFolder(host, stack), segment)))?.trim();
    // Half-written notes have names of their own; what is not a name is none of ours.
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
