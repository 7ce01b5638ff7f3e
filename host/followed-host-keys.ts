import * as path from "node:path";
import { stackFolder } from "./data-folder";
import { readJson, writeJson } from "./file-store";

/**
 * The SSH host keys with which nodes have ended a rotation: none of these nodes is reached by a former key again. The provider records them, because the
 * state cannot tell it how far a rotation is, and the commands read them, because an interrupted `up` leaves the outputs of the stack
 * behind. Without the file, former keys are accepted until the next rotation.
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

/** The disks of that time come back: a rotation that was interrupted then has ended since. */
export async function forgetFollowedHostKeys(stack: string, since: string): Promise<void> {
  const known = Object.entries(await read(stack));
  const kept = known.filter(([, followed]) => Date.parse(followed) <= Date.parse(since));
  if (kept.length < known.length) await writeJson(followedFile(stack), Object.fromEntries(kept));
}
