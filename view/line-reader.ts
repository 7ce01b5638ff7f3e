import { Writable } from "node:stream";

/** Passes on each line of an output, and keeps none of them: an output that does not end must not grow. */
export function lineReader(onLine: (line: string) => void): Writable {
  let rest = "";
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
      done();
    },
  });
}
