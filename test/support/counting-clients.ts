import { type ChildProcess, spawn } from "node:child_process";
import { onSignal } from "./on-signal";

/** What happened to requests, by the kind of client and the response or the error, and the longest time in ms without a new connection's response. */
export type Counted = Readonly<Record<string, number>> & { readonly gap: number };

export interface CountingClients {
  /** They send requests; one that takes long is under way. */
  readonly begun: Promise<void>;
  stop(): Promise<Counted>;
}

const started = new Set<ChildProcess>();
onSignal(async () => endPrograms());

/** Ends all programs that `inNamespace` has started. */
export function endPrograms(): void {
  for (const child of started) child.kill("SIGKILL");
}

/** Runs JavaScript in a network namespace, until its end or that of its stdin. */
export function inNamespace(namespace: string, code: string): ChildProcess {
  const words = ["netns", "exec", namespace, process.execPath, "-e", code];
  const child = spawn("ip", words, { stdio: ["pipe", "pipe", "inherit"] });
  started.add(child);
  child.once("close", () => started.delete(child));
  return child;
}

/**
 * Clients of a server that is found under `url`, in a network namespace: `new` with a connection for each request, `kept` with one for all
 * requests, and `slow` with one request for `/slow`.
 */
export function countRequests(namespace: string, url: string): CountingClients {
  const child = inNamespace(namespace, program(url));
  let said = "";
  const begun = new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      resolve();
    });
    child.once("close", () => reject(new Error("the clients have ended")));
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  begun.catch(() => {});
  return {
    begun,
    async stop() {
      child.stdin?.end();
      await ended;
      return JSON.parse(said) as Counted;
    },
  };
}

const program = (url: string): string => `
  const { get, Agent } = require("node:${new URL(url).protocol.slice(0, -1)}");
  const seen = {};
  const count = (kind, what) => (seen[kind + " " + what] = (seen[kind + " " + what] ?? 0) + 1);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let last = performance.now(), gap = 0;
  const ask = (kind, path, agent) => get("${url}" + path, { agent, timeout: 10000, rejectUnauthorized: false }, (response) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk)).on("end", () => {
      const now = performance.now();
      if (kind === "new") [gap, last] = [Math.max(gap, now - last), now];
      count(kind, body);
    }).on("error", ({ code }) => count(kind, code));
  }).on("error", ({ code }) => count(kind, code)).on("timeout", () => count(kind, "timeout"));
  const each = [setInterval(() => ask("new", "/", false), 10), setInterval(() => ask("kept", "/", agent), 200)];
  setTimeout(() => ask("slow", "/slow", false).once("finish", () => console.log()), 500);
  process.stdin.resume().on("end", () => {
    each.forEach(clearInterval);
    setTimeout(() => { console.log(JSON.stringify({ gap: Math.round(gap), ...seen })); process.exit(); }, 3000);
  });`;
