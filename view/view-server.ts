import type { IncomingMessage, ServerResponse } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { type LoopbackServer, serveOnLoopback } from "../host/loopback-server";
import { EventStream } from "./event-stream";
import { type FaultParts, FaultRuns, type OrderAnswer } from "./fault-runs";
import { type Guarded, hasToken, makeToken, safeHeaders, strangeOrder, strangeRequest } from "./guard";
import type { LiveView } from "./live-view";
import { orderIn } from "./offered-faults";
import type { PageFiles } from "./page-files";
import type { FaultOrder } from "./picture/state";

export interface ViewServer {
  /** With the token in its fragment. */
  readonly address: string;
  readonly port: number;
  /** Whether a fault is injected now, which `close` ends first. */
  isBreaking(): boolean;
  close(): Promise<void>;
}

export interface ViewServerParts {
  readonly live: LiveView;
  readonly files: PageFiles;
  /** Passes on the lines of a machine's journal until the signal aborts. @throws UserError `no-such-node` */
  readonly journal: (node: string, onLine: (line: string) => void, signal: AbortSignal) => Promise<void>;
  readonly faults: FaultParts;
  readonly port?: number;
}

/** Serves the page, and its data to those who have the token. */
export async function serveView({ port = 0, faults, ...parts }: ViewServerParts): Promise<ViewServer> {
  const { live } = parts;
  const guarded = { port: 0, token: makeToken() };
  const runs = new FaultRuns(faults, {
    runs: (all) => live.show({ runs: all }),
    refused: (reason) => live.show({ faultsRefused: reason }),
    event: (event) => live.note(event),
  });
  live.onLeft = () => void runs.end();
  const server: LoopbackServer = await serveOnLoopback((request, response) => {
    handle(request, response, guarded, { ...parts, runs });
  }, port);
  guarded.port = server.port;
  return {
    port: server.port,
    address: `http://127.0.0.1:${server.port}/#${guarded.token}`,
    isBreaking: () => runs.isRunning,
    async close() {
      // The page shows meanwhile what is put back.
      await runs.close();
      await live.close();
      await server.close();
    },
  };
}

interface Parts extends Pick<ViewServerParts, "live" | "files" | "journal"> {
  readonly runs: FaultRuns;
}

type Answer = (response: ServerResponse, url: URL, parts: Parts) => void;

/** Only with the token. */
const data: Readonly<Record<string, Answer>> = {
  "/changes": (response, _url, { live }) => {
    const stream: EventStream = new EventStream(response, () => live.leave(stream));
    live.join(stream);
  },
  "/journal": (response, url, { journal }) => {
    const end = new AbortController();
    const stream = new EventStream(response, () => end.abort());
    journal(url.searchParams.get("node") ?? "", (line) => stream.send("line", line), end.signal)
      .catch((error: Error) => stream.send("line", error.message))
      .finally(() => stream.end());
  },
};

/** All that a request can change. */
const orders: Readonly<Record<string, (order: FaultOrder, runs: FaultRuns) => Promise<OrderAnswer> | OrderAnswer>> = {
  "/faults": (order, runs) => runs.order(order),
  "/faults/end": (order, runs) => runs.orderEnd(order),
};

const base = "http://127.0.0.1";

const entry = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function handle(request: IncomingMessage, response: ServerResponse, guarded: Guarded, parts: Parts): void {
  const { method = "", headers, url: target = "/" } = request;
  const asked = { method, headers };
  const refused = strangeRequest(asked, guarded);
  // An error here would end this process, and every user of the host can send requests.
  const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
  const name = url?.pathname ?? "";
  const file = entry(parts.files, name);
  const answer = entry(data, name);
  const order = entry(orders, name);
  if (refused !== undefined) say(response, 403, refused);
  else if (method !== (order ? "POST" : "GET")) say(response, 405, order ? "only POST" : "only GET");
  else if (url === undefined) say(response, 400, "invalid address");
  else if (file) response.writeHead(200, { ...safeHeaders, "content-type": file.type }).end(file.content);
  else if (answer === undefined && order === undefined) say(response, 404, "not found");
  else if (!hasToken(asked, guarded)) say(response, 401, "the address of this page has another token");
  else if (order) void takeOrder(request, response, (body) => order(body, parts.runs));
  else answer?.(response, url, parts);
}

async function takeOrder(
  request: IncomingMessage,
  response: ServerResponse,
  order: (body: FaultOrder) => Promise<OrderAnswer> | OrderAnswer,
): Promise<void> {
  const { method = "", headers } = request;
  const refused = strangeOrder({ method, headers });
  if (refused !== undefined) return say(response, 403, refused);
  try {
    const body = orderIn(await textOf(request));
    const { status, text } = body ? await order(body) : { status: 400, text: "the body names no fault" };
    say(response, status, text);
  } catch (error) {
    // The page has gone, or the configuration cannot be read.
    if (!response.destroyed) say(response, 500, (error as Error).message);
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...safeHeaders, "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
