import * as path from "node:path";
import { stackFolder } from "./data-folder";
import { readJson, removeTree, writeJson } from "./file-store";

/**
 * The SSH host keys with which nodes have ended a rotation: no former key of these nodes is accepted again. The provider records them, because the
 * state does not say how far a rotation is. The commands read them, because the outputs of the stack keep all former keys. Without the
 * file, former keys are accepted until the next `up`, in which each node presents its key again.
 */
const followedFile = (stack: string): string => path.join(stackFolder(stack), "followed-host-keys.json");

/** When a node first presented the key in place of its former one. */
type Followed = Readonly<Record<string, string>>;

const read = async (stack: string): Promise<Followed> => (await readJson<Followed>(followedFile(stack))) ?? {};

export const followedHostKeys = async (stack: string): Promise<readonly string[]> => Object.keys(await read(stack));

/** One write at a time: nodes end a rotation together. The stack's lock keeps other processes from it. */
let last: Promise<void> = Promise.resolve();

export function noteFollowedHostKey(stack: string, hostKey: string): Promise<void> {
  const written = last.then(async () => {
    const known = await read(stack);
    if (known[hostKey] !== undefined) return;
    await writeJson(followedFile(stack), { ...known, [hostKey]: new Date().toISOString() });
  });
  last = written.catch(() => undefined);
  return written;
}

/** For a restore of the disks of that time: nodes that have ended a rotation since then have their former keys again. */
export async function forgetFollowedHostKeys(stack: string, since: string): Promise<void> {
  const known = Object.entries(await read(stack));
  const kept = known.filter(([, followed]) => Date.parse(followed) <= Date.parse(since));
  if (kept.length < known.length) await writeJson(followedFile(stack), Object.fromEntries(kept));
}

/** For a stack whose machines are removed. */
export const removeFollowedHostKeys = (stack: string): Promise<void> => removeTree(followedFile(stack));
