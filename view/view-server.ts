import type { IncomingMessage, ServerResponse } from "node:http";
import { type LoopbackServer, serveOnLoopback } from "../host/loopback-server";
import { EventStream } from "./event-stream";
import { type Guarded, hasToken, makeToken, safeHeaders, strangeRequest } from "./guard";
import type { LiveView } from "./live-view";
import type { PageFiles } from "./page-files";

export interface ViewServer {
  /** With the token in its fragment. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ViewServerParts {
  readonly live: LiveView;
  readonly files: PageFiles;
  /** Passes on the lines of a machine's journal until the signal aborts. @throws UserError `no-such-node` */
  readonly journal: (node: string, onLine: (line: string) => void, signal: AbortSignal) => Promise<void>;
  readonly port?: number;
}

/** Serves the page, and its data to those who have the token. */
export async function serveView({ port = 0, ...parts }: ViewServerParts): Promise<ViewServer> {
  const guarded = { port: 0, token: makeToken() };
  const server: LoopbackServer = await serveOnLoopback((request, response) => {
    handle(request, response, guarded, parts);
  }, port);
  guarded.port = server.port;
  return {
    port: server.port,
    address: `http://127.0.0.1:${server.port}/#${guarded.token}`,
    async close() {
      await parts.live.close();
      await server.close();
    },
  };
}

type Parts = Omit<ViewServerParts, "port">;
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

const base = "http://127.0.0.1";

function handle(request: IncomingMessage, response: ServerResponse, guarded: Guarded, parts: Parts): void {
  const { method = "", headers, url: target = "/" } = request;
  const asked = { method, headers };
  const refused = strangeRequest(asked, guarded);
  // An error here would end this process, and every user of the host can send requests.
  const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
  const name = url?.pathname ?? "";
  const file = Object.hasOwn(parts.files, name) ? parts.files[name] : undefined;
  const answer = Object.hasOwn(data, name) ? data[name] : undefined;
  if (refused !== undefined) say(response, 403, refused);
  else if (method !== "GET") say(response, 405, "only GET");
  else if (url === undefined) say(response, 400, "invalid address");
  else if (file) response.writeHead(200, { ...safeHeaders, "content-type": file.type }).end(file.content);
  else if (answer === undefined) say(response, 404, "not found");
  else if (!hasToken(asked, guarded)) say(response, 401, "the address of this page has another token");
  else answer(response, url, parts);
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...safeHeaders, "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
