import * as path from "node:path";
import { limitFile } from "../../../host/output-limits";
import { ownAddresses } from "../../../host/own-addresses";
import { answerSocket } from "../../../host/unix-sockets";
import { CONTROL_SOCKET, type Wiring } from "./protocol";
import { Wires } from "./wiring";

const CONSOLE_LIMIT = 8 * 1024 * 1024;
const LOOK_MS = 60_000;

/**
 * The process of a stack's network: `node qemu-switch.js <folder>`. The driver configures it through its control socket. It
 * stores nothing and runs until it is killed.
 */
async function main(folder: string): Promise<void> {
  const wires = new Wires(folder, ownAddresses);
  let consoles: readonly string[] = [];
  // QEMU appends to them and has no limit of its own.
  setInterval(() => {
    for (const file of consoles) limitFile(file, CONSOLE_LIMIT).catch((error) => console.error(`${file}: ${error}`));
  }, LOOK_MS).unref();
  let previous: Promise<unknown> = Promise.resolve();
  await answerSocket(path.join(folder, CONTROL_SOCKET), (question) => {
    // One at a time: two drivers may ask simultaneously.
    const answer = previous.then(() => obey(wires, question, (files) => (consoles = files)));
    previous = answer;
    return answer;
  });
}

/** `{}`, or `{error}` with the reason for a failure. */
async function obey(wires: Wires, question: string, watch: (files: readonly string[]) => void): Promise<string> {
  try {
    const wiring = JSON.parse(question) as Wiring;
    watch(wiring.consoles);
    await wires.become(wiring);
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
