import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import type { LineConnection } from "../model/host";
import { removeTree } from "./file-store";

/**
 * Sends a question to a Unix socket and returns everything that the other side sends until it closes the connection.
 * @throws Error if no process listens or the answer takes longer than `timeoutMs`
 */
export function askSocket(path: string, question: string, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${path} did not answer within ${timeoutMs} ms`)));
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(answer);
    });
    socket.end(question);
  });
}

/** Answers the questions of `askSocket`. Each connection has one question and ends with its answer. */
export async function answerSocket(path: string, answer: (question: string) => Promise<string>): Promise<void> {
  await removeTree(path);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let question = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      question += chunk;
    });
    // The client may have been killed in the meantime.
    socket.on("error", () => {});
    socket.on("end", () => {
      answer(question).then(
        (text) => socket.end(text),
        () => socket.destroy(),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/** @throws Error if no process listens */
export function connectLines(path: string): Promise<LineConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const arrived: string[] = [];
    let closed = false;
    let wake = (): void => {};
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => {
      arrived.push(line);
      wake();
    });
    // readline emits the socket's errors as its own.
    lines.on("error", () => {});
    socket.on("close", () => {
      closed = true;
      wake();
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.on("error", () => {});
      resolve({ send: (line) => socket.write(`${line}\n`), next, close: () => socket.destroy() });
    });

    async function next(timeoutMs: number): Promise<string> {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const line = arrived.shift();
        if (line !== undefined) return line;
        if (closed) throw new Error(`${path} has been closed`);
        if (Date.now() >= deadline) throw new Error(`${path} said nothing for ${timeoutMs} ms`);
        await new Promise<void>((woken) => {
          const timer = setTimeout(woken, deadline - Date.now());
          wake = () => {
            clearTimeout(timer);
            woken();
          };
        });
      }
    }
  });
}
