import { createHash } from "node:crypto";
import type { SnapshotRecord, SnapshotState } from "../model/stack-snapshots";
import { UserError } from "../model/user-error";
import { isStateEmpty } from "../toolchain/run-pulumi/prepare-stack";
import { isKnownToPulumi } from "../toolchain/run-pulumi/pulumi-command";
import { readStackKeys } from "../toolchain/run-pulumi/read-keys";

/**
 * The disks of a snapshot hold the keys that the stack had then: authorities, the encryption of Secrets, SSH. With other keys in
 * Pulumi's state, nothing on this host could reach the machines or trust their cluster after a restore.
 */

export type KeyDigests = Readonly<Record<string, string>>;

/** Each key is random and long enough that its digest says nothing about it. */
export const digestsOf = (keys: Readonly<Record<string, string>>): KeyDigests =>
  Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, createHash("sha256").update(key).digest("hex")]));

/** `undefined` while the stack has no keys: its first `up` has not begun, or its state is lost. */
export async function presentKeyDigests(stack: string): Promise<KeyDigests | undefined> {
  if (!(await isKnownToPulumi(stack)) || (await isStateEmpty(stack))) return undefined;
  return readStackKeys(stack).then(digestsOf, (error: unknown) => {
    if (error instanceof UserError && error.id === "no-keys") return undefined;
    throw error;
  });
}

/** Names of the keys that differ, without those of which either side says nothing. Pure. */
export const otherKeys = (
  { keys: then }: Pick<SnapshotRecord, "keys">,
  now: KeyDigests | undefined,
): readonly string[] =>
  then === undefined || now === undefined
    ? []
    : [...new Set([...Object.keys(then), ...Object.keys(now)])].filter((name) => then[name] !== now[name]).sort();

/** Pure. @throws UserError `snapshot-other-keys` */
export function refuseOtherKeys(snapshot: SnapshotRecord, now: KeyDigests | undefined): void {
  const names = otherKeys(snapshot, now);
  if (names.length === 0) return;
  const { stack, name, created } = snapshot;
  throw new UserError(
    "snapshot-other-keys",
    `the disks of the snapshot ${name} hold other keys than Pulumi's state of ${stack} (${names.join(", ")}): after a restore, the ` +
      "machines would not accept this host, and it would not trust their cluster; no changes",
    `bring the state of ${created} back (\`pulumi stack import\`) and try again; if the present keys stay, remove the snapshot: ` +
      `\`npx groundplane snapshot delete ${name}\``,
  );
}

/** The same as an obstacle of a list. */
export function withKeys(snapshot: SnapshotState, now: KeyDigests | undefined): SnapshotState {
  const names = otherKeys(snapshot, now);
  if (names.length === 0) return snapshot;
  const obstacle = [
    ...(snapshot.obstacle ? [snapshot.obstacle] : []),
    `the stack had other keys (${names.join(", ")})`,
  ];
  return { ...snapshot, obstacle: obstacle.join("; ") };
}

/** For a user: the digests mean nothing to anyone else. */
export function withoutKeys({ keys: _keys, ...shown }: SnapshotState): Omit<SnapshotState, "keys"> {
  return shown;
}
