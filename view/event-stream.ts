import type { ServerResponse } from "node:http";
import { safeHeaders } from "./guard";

/** A reader that is so far behind has gone, or sleeps: it connects again and gets everything. */
const MOST_WAITING = 4 * 1024 * 1024;
const ALIVE_MS = 10_000;

/** Server-sent events to one page. */
export class EventStream {
  private readonly alive: NodeJS.Timeout;

  constructor(
    private readonly response: ServerResponse,
    onEnd: () => void,
  ) {
    response.writeHead(200, { ...safeHeaders, "content-type": "text/event-stream; charset=utf-8" });
    response.socket?.setNoDelay(true);
    this.alive = setInterval(() => response.write(":\n\n"), ALIVE_MS);
    response.on("error", () => undefined);
    response.on("close", () => {
      clearInterval(this.alive);
      onEnd();
    });
  }

  /** JSON has no line ends of its own. */
  send(event: string, data: unknown): void {
    if (this.response.destroyed) return;
    if (this.response.writableLength > MOST_WAITING) this.response.destroy();
    else this.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.response.end();
  }
}
