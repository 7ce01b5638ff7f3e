import { script } from "../cloud-init/scripts/read-script";
import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import type { ConnectGuest } from "../guests/guest";
import { guestPaths } from "../model/guest-paths";
import { storedRoles } from "../model/roles";
import type { InventoryEntry, StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";
import { type SnapshotHead, SnapshotStream } from "./snapshot-stream";

const CONNECT_MS = 15_000;
/** A member copies its database of at most a few GiB to its disk, and sends it. */
const SNAPSHOT_MS = 30 * 60_000;

export interface Snapshot {
  readonly member: string;
  readonly head: SnapshotHead;
  /** Ends with an error unless the snapshot is complete and undamaged. */
  readonly content: SnapshotStream;
  /** The end of the script, which has removed the member's own copy. */
  readonly end: Promise<void>;
}

interface Taking {
  /** Default: over SSH, or a simulated node. */
  readonly connect?: ConnectGuest;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

export const etcdMembers = ({ inventory }: Pick<StackOutputs, "inventory">): readonly InventoryEntry[] =>
  inventory.filter((node) => storedRoles(node).includes("etcd"));

/**
 * A snapshot of the first member that can take one. A member without a majority cannot: its data may be old.
 * @throws UserError `no-snapshot`
 */
export async function takeSnapshot(outputs: StackOutputs, taking: Taking): Promise<Snapshot> {
  const reasons: string[] = [];
  for (const member of etcdMembers(outputs)) {
    taking.progress(`${member.name}: taking and verifying a snapshot of etcd`);
    try {
      return await takeOn(member, outputs, taking);
    } catch (error) {
      taking.signal.throwIfAborted();
      reasons.push(`${member.name}: ${(error as Error).message}`);
    }
  }
  throw new UserError(
    "no-snapshot",
    `no member of etcd could take a snapshot: ${reasons.join("; ")}`,
    "see `npx groundplane status`, repair etcd, and repeat",
  );
}

async function takeOn(member: InventoryEntry, outputs: StackOutputs, { signal, connect = connectAnyGuest }: Taking) {
  const connecting = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  const guest = await connect(connectionOf(member, outputs), { signal: connecting }).catch((error: Error) => {
    throw connecting.aborted && !signal.aborted ? new Error(`no response within ${CONNECT_MS / 1000} s`) : error;
  });
  const content = new SnapshotStream();
  const end = guest
    .run(["/bin/bash", "-s", "--", guestPaths.etcdSnapshot], {
      ...{ stdin: script("backup/take-snapshot"), output: content },
      ...{ signal, timeoutMs: SNAPSHOT_MS },
    })
    .then(({ code, stderr }) => {
      if (code !== 0) throw new Error(lastLines(stderr) || `exit code ${code}`);
    });
  // A script that ends before its head has failed.
  const failed = end.then(() => {
    throw new Error("the script sent no snapshot");
  });
  failed.catch(() => undefined);
  // The reader of the content gets its error as well.
  content.on("error", () => undefined);
  const head = await Promise.race([content.head, failed]).catch((error: Error) => {
    content.destroy();
    throw error;
  });
  return { member: member.name, head, content, end };
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-3).join("\n");
