import * as path from "node:path";
import { dataFolder, stackFolder } from "../../host/data-folder";
import { listFolder, readIfPresent, removeIfEmpty, removeTree, writeFileAtomic } from "../../host/file-store";

/**
 * Which driver has a stack's machines on this host: a note for each segment, because segments are the first things a
 * stack has and the last it loses. Machines do not move between hypervisors, so `driver: auto` must not choose anew for
 * a stack that exists.
 */

const notesFolder = (stack: string): string => path.join(stackFolder(stack), "driver");

export async function rememberDriver(stack: string, segment: string, driver: string): Promise<void> {
  await writeFileAtomic(path.join(notesFolder(stack), segment), `${driver}\n`);
}

/** The last segment's note takes the folders along. */
export async function forgetDriver(stack: string, segment: string): Promise<void> {
  await removeTree(path.join(notesFolder(stack), segment));
  if (await removeIfEmpty(notesFolder(stack))) await removeIfEmpty(stackFolder(stack));
}

/** `undefined` while the stack has nothing on this host. */
export async function rememberedDriver(stack: string): Promise<string | undefined> {
  for (const segment of await listFolder(notesFolder(stack))) {
    const driver = (await readIfPresent(path.join(notesFolder(stack), segment)))?.trim();
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
export async function stacksOnDrivers(): Promise<readonly StackOnDriver[]> {
  const stacks = await listFolder(path.join(dataFolder(), "stacks"));
  const found = await Promise.all(stacks.map(async (stack) => ({ stack, driver: await rememberedDriver(stack) })));
  return found.flatMap(({ stack, driver }) => (driver ? [{ stack, driver }] : []));
}
