import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import { findNode, type StackOutputs } from "../model/stack-outputs";
import { lineReader } from "./line-reader";

const LINES = 100;

/** The last lines of a machine's journal, and then each as it comes, until the signal aborts. */
export async function followJournal(
  outputs: StackOutputs,
  name: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const guest = await connectAnyGuest(connectionOf(findNode(outputs, name), outputs), { signal });
  const output = lineReader(onLine);
  const argv = ["journalctl", "--boot", "--no-pager", "--follow", `--lines=${LINES}`, "--output=short-iso"];
  await guest.run(argv, { output, signal });
}
