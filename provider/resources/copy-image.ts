import { type Readable, Transform } from "node:stream";
import type { Guest } from "../../guests/guest";
import type { RunResult } from "../../guests/guest-ssh";
import { containerRuntimes } from "../../model/container-runtimes";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";

/** Of one image, whose size is that of a program. */
export const COPY_MS = 5 * 60_000;

export const ctr = ["ctr", "--namespace", containerRuntimes.containerd.namespace, "images"] as const;

/**
 * A copy passes the gateway's uplink twice, which the clients of the API and of NodePorts use as well. Without a limit it fills the
 * uplink's queues: their connections waited for seconds. The archive of an add-on takes three seconds at this pace.
 */
const BYTES_PER_SECOND = 8 * 2 ** 20;

/** What a late timer may make up for. */
const BEHIND_MS = 50;

/** Passes bytes on at a pace. */
export function paced(bytesPerSecond = BYTES_PER_SECOND): Transform {
  let dueMs = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const nowMs = performance.now();
      dueMs = Math.max(dueMs, nowMs - BEHIND_MS) + (chunk.length / bytesPerSecond) * 1000;
      setTimeout(done, dueMs - nowMs, null, chunk);
    },
  });
}

/**
 * Pods on both nodes serve meanwhile. Where processes have no control groups for the processor, each session over SSH has its share, whatever
 * the priority in it is: so the session's is lowered, too. A kernel without such shares has no such file. With the lowest priority, a copy
 * would take minutes on a busy host, and the node is away meanwhile.
 */
const gently = "echo 10 2>/dev/null >/proc/$$/autogroup; renice -n 10 -p $$ >/dev/null; ionice -c 3 -p $$ || true";

const inPipe = (pipe: string, ...words: readonly string[]): readonly [string, ...string[]] => [
  ...(["bash", "-o", "pipefail", "-c", `${gently}; ${pipe}`, "bash"] as const),
  ...words,
];

/** The image's name comes last in the archive, after everything that belongs to it. */
export const exporting = (image: string) => inPipe(`${ctr.join(" ")} export --local - "$1" | gzip -1`, image);
const importing = inPipe(`gzip -dc | ${ctr.join(" ")} import --local -`);

/** The kubelet deletes images from a full disk, but none that is pinned. */
const pinning = `${ctr.join(" ")} label "$1" io.cri-containerd.image=managed io.cri-containerd.pinned=pinned >/dev/null`;

/** A node imports the compressed archive of one image. An interrupted import leaves no image. */
export const receiveImage = (
  image: string,
  to: Guest,
  archive: Readable,
  { signal }: Context,
  isPinned: boolean,
): Promise<RunResult> =>
  to.run(isPinned ? inPipe(`gzip -dc | ${ctr.join(" ")} import --local - && ${pinning}`, image) : importing, {
    ...{ signal, timeoutMs: COPY_MS, input: archive },
  });

interface End {
  readonly name: string;
  readonly guest: Guest;
}

/**
 * Copies a container image from node to node at the pace of the slower one, under its own name. An interrupted copy leaves no image, so
 * that it is repeated.
 */
export async function copyImage(
  image: string,
  from: End,
  to: End,
  context: Context,
  bytesPerSecond = BYTES_PER_SECOND,
): Promise<void> {
  const between = paced(bytesPerSecond);
  const { signal } = context;
  const options = { signal, timeoutMs: COPY_MS };
  let first: { readonly error: unknown } | undefined;
  // The failure of one ends the other, whose own reason is of no interest.
  const failed = (error: unknown): void => {
    first ??= { error };
    between.destroy();
  };
  const done = async (running: ReturnType<Guest["run"]>, problem: string): Promise<void> => {
    const result = await running;
    if (result.code !== 0) throw new Error(`${image} cannot be ${problem}: ${reasonOf(result)}`);
  };
  await Promise.all([
    done(from.guest.run(exporting(image), { ...options, output: between }), `exported on ${from.name}`).catch(failed),
    done(to.guest.run(importing, { ...options, input: between }), `imported on ${to.name}`).catch(failed),
  ]);
  if (first !== undefined) throw (first as { readonly error: unknown }).error;
}
