import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { LineConnection } from "../model/host";

/** @throws Error when nobody listens */
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
    // readline passes the socket's errors on as its own.
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
