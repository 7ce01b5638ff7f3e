import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly terminal?: boolean;
}

/** A user can answer only if input and the stream of questions are a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** The answer of the user, `undefined` if they end the input (Ctrl-D) or interrupt the question (Ctrl-C). */
export async function askOnTerminal(
  question: string,
  streams: Terminal = { input: process.stdin, output: process.stderr },
): Promise<string | undefined> {
  const terminal = createInterface(streams);
  // Otherwise the question would never be answered, and the process would end as if it had succeeded.
  const ended = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
  const interrupted = new Promise<undefined>((resolve) => terminal.once("SIGINT", () => resolve(undefined)));
  const answered = terminal.question(question).catch(() => undefined);
  try {
    const answer = await Promise.race([answered, ended, interrupted]);
    if (answer === undefined) streams.output.write("\n");
    return answer?.trim();
  } finally {
    terminal.close();
  }
}

/** The same without showing what the user types. */
export async function askSecretly(
  question: string,
  streams: Terminal = { input: process.stdin, output: process.stderr, terminal: true },
): Promise<string | undefined> {
  streams.output.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await askOnTerminal("", { ...streams, output: nowhere });
  streams.output.write("\n");
  return answer;
}
