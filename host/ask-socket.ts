import { connect } from "node:net";

/**
 * Sends a question to a Unix socket and gives everything that is answered until the other side closes.
 * @throws Error when nobody listens or the answer takes longer than `timeoutMs`
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
