import { Writable } from "node:stream";
import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import { findNode, type StackOutputs } from "../model/stack-outputs";

const LINES = 100;

/** The last lines of a machine's journal, and then each as it comes, until the signal aborts. */
export async function followJournal(
  outputs: StackOutputs,
  name: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const guest = await connectAnyGuest(connectionOf(findNode(outputs, name), outputs), { signal });
  let rest = "";
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
      done();
    },
  });
  const argv = ["journalctl", "--boot", "--no-pager", "--follow", `--lines=${LINES}`, "--output=short-iso"];
  await guest.run(argv, { output, signal });
}
