import * as path from "node:path";
import { answerSocket } from "../../../host/unix-sockets";
import { CONTROL_SOCKET, type Wiring } from "./protocol";
import { Wires } from "./wiring";

/**
 * The process of a stack's network: `node qemu-switch.js <folder>`. The driver configures it through its control socket. It
 * stores nothing and runs until it is killed.
 */
async function main(folder: string): Promise<void> {
  const wires = new Wires(folder);
  let previous: Promise<unknown> = Promise.resolve();
  await answerSocket(path.join(folder, CONTROL_SOCKET), (question) => {
    // One at a time: two drivers may ask simultaneously.
    const answer = previous.then(() => obey(wires, question));
    previous = answer;
    return answer;
  });
}

/** `{}`, or `{error}` with the reason for a failure. */
async function obey(wires: Wires, question: string): Promise<string> {
  try {
    await wires.become(JSON.parse(question) as Wiring);
    return "{}";
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");
main(folder).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
