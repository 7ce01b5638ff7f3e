import { createServer } from "node:net";
import { removeTree } from "./file-store";

/** Answers the questions of `askSocket`: each comes whole, and its connection ends with the answer. */
export async function answerSocket(path: string, answer: (question: string) => Promise<string>): Promise<void> {
  await removeTree(path);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let question = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      question += chunk;
    });
    // Whoever asked may have been killed meanwhile.
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
