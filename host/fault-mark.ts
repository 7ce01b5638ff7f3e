import * as path from "node:path";
import { stackFolder } from "./data-folder";
import { readIfPresent, removeTree, writeFileAtomic } from "./file-store";

/** A file that exists while faults are injected into a stack, with their names. A process that is killed leaves it. */
const markPath = (stack: string): string => path.join(stackFolder(stack), "faults-injected");

export const markFaults = (stack: string, names: readonly string[]): Promise<void> =>
  writeFileAtomic(markPath(stack), `${names.join(", ")}\n`, 0o600);

/** Names of faults; `undefined`: none was injected, or all were put back. */
export const markedFaults = async (stack: string): Promise<string | undefined> =>
  (await readIfPresent(markPath(stack)))?.trim();

export const clearFaults = (stack: string): Promise<void> => removeTree(markPath(stack));
