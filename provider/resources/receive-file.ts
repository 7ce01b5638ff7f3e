import { PassThrough } from "node:stream";
import type { Guest } from "../../guests/guest";
import { moveTree, removeTree, writeFileAtomic } from "../../host/file-store";
import { reasonOf } from "./guest-waiting";

interface Received {
  /** Only its owner may read it. */
  readonly file: string;
  /** What cannot be done if the command fails. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Writes what a node's command prints. The file gets its name when the command has ended well. */
export async function receiveFile(
  guest: Guest,
  argv: readonly [string, ...string[]],
  { file, what, signal, timeoutMs }: Received,
): Promise<void> {
  const output = new PassThrough();
  // The connection may be lost before anything reads.
  output.on("error", () => undefined);
  const part = `${file}.part`;
  const written = writeFileAtomic(part, output, 0o600);
  const read = guest.run(argv, { output, signal, timeoutMs }).then((result) => {
    if (result.code !== 0) throw new Error(`${what}: ${reasonOf(result)}`);
  });
  // A stream without its end would keep the file open.
  read.catch((error: Error) => output.destroy(error));
  const failed = (await Promise.allSettled([read, written])).find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return moveTree(part, file);
  await removeTree(part);
  throw failed.reason;
}
