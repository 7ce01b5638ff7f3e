import * as https from "node:https";

/** What a client saw that asked the API again and again, each time over a new TLS connection. */
export interface ProbeReport {
  readonly probes: number;
  readonly failed: number;
  /** Longest time in ms between the starts of two successful probes that follow each other. */
  readonly longestGapMs: number;
  /** How often each error was seen. */
  readonly errors: Readonly<Record<string, number>>;
}

interface Sample {
  readonly startedMs: number;
  readonly error: string | undefined;
}

/** Asks `url` every `intervalMs` until `stop` is called. Certificates are not checked: reachability is measured. */
export function probeApi(url: string, intervalMs: number, timeoutMs = 1000): { stop(): Promise<ProbeReport> } {
  const samples: Sample[] = [];
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const running = probeOnce(url, timeoutMs).then((sample) => {
      samples.push(sample);
      pending.delete(running);
    });
    pending.add(running);
  }, intervalMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return report(samples);
    },
  };
}

/**
 * Asks `url` ten times a second until it answers for the first time; gives the milliseconds since the call, or
 * `undefined` when `signal` ended it before.
 */
export function firstAnswer(url: string, signal: AbortSignal): Promise<number | undefined> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const finish = (answer: number | undefined): void => {
      clearInterval(timer);
      resolve(answer);
    };
    const timer = setInterval(async () => {
      const { error } = await probeOnce(url, 1000);
      if (error === undefined) finish(performance.now() - startedMs);
    }, 100);
    signal.addEventListener("abort", () => finish(undefined), { once: true });
  });
}

function probeOnce(url: string, timeoutMs: number): Promise<Sample> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const request = https.get(url, { agent: false, rejectUnauthorized: false, timeout: timeoutMs }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString("utf8");
      });
      response.on("end", () => {
        const good = response.statusCode === 200 && body === "ok";
        resolve({ startedMs, error: good ? undefined : `status ${response.statusCode}` });
      });
    });
    // `timeout` of the request only tells; a hanging connection has to be ended here.
    const limit = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => resolve({ startedMs, error: error.code ?? error.message }));
    request.on("close", () => clearTimeout(limit));
  });
}

function report(samples: readonly Sample[]): ProbeReport {
  const ordered = [...samples].sort((a, b) => a.startedMs - b.startedMs);
  const good = ordered.filter((sample) => sample.error === undefined);
  const errors: Record<string, number> = {};
  for (const { error } of ordered) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  const gaps = good.slice(1).map((sample, i) => sample.startedMs - (good[i] as Sample).startedMs);
  return {
    probes: ordered.length,
    failed: ordered.length - good.length,
    longestGapMs: Math.round(Math.max(0, ...gaps)),
    errors,
  };
}
