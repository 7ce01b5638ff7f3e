import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { CommandOutput, Step } from "./run-step";

interface StreamLog {
  readonly chunks: Buffer[];
  /** Shows the rest of a last line without a newline. */
  readonly flush: () => void;
}

/** Keeps the output of a command and shows it line by line as `logging` demands. */
export class OutputCollector {
  private readonly everything: Buffer[] = [];
  private readonly stdout: StreamLog;
  private readonly stderr: StreamLog;

  constructor(
    private readonly step: Step,
    stdout: Readable,
    stderr: Readable,
  ) {
    const { logging } = step.inputs;
    this.stdout = this.collect(stdout, logging === "stdout" || logging === "stdoutAndStderr");
    this.stderr = this.collect(stderr, logging === "stderr" || logging === "stdoutAndStderr");
  }

  /** Call it once, after both streams have ended. */
  finish(): CommandOutput {
    this.stdout.flush();
    this.stderr.flush();
    return { stdout: text(this.stdout.chunks), stderr: text(this.stderr.chunks) };
  }

  /** Both streams in the order in which they arrived. */
  interleaved(): string {
    return Buffer.concat(this.everything).toString("utf8");
  }

  private collect(stream: Readable, isShown: boolean): StreamLog {
    const chunks: Buffer[] = [];
    const lines = new LineSplitter((line) => this.step.context.log("info", line, true));
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      this.everything.push(chunk);
      if (isShown) lines.push(chunk);
    });
    return { chunks, flush: () => lines.flush() };
  }
}

/** Splits a byte stream into lines, also where two chunks share a character. */
class LineSplitter {
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    const lines = (this.rest + this.decoder.write(chunk)).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.onLine(line);
  }

  flush(): void {
    if (this.rest) this.onLine(this.rest);
    this.rest = "";
  }
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");
