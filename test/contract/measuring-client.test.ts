import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { probeApi } from "../../verify/api-probe";
import { startClient } from "../../verify/measuring-client";
import { freePort } from "../support/host-observations";

/** Only what never happens takes so long: a host whose processors are saturated delays everything. */
const LIMIT_MS = 60_000;
const REQUESTS = 10;

/** A server in a thread of its own. It begins to listen when the count is 0, and counts requests without this thread. */
const countingServer = `
  const { counted, port } = require("node:worker_threads").workerData;
  Atomics.wait(counted, 0, -1);
  require("node:http").createServer((_, response) => {
    response.writeHead(503).end();
    Atomics.add(counted, 0, 1);
    Atomics.notify(counted, 0);
  }).listen(port, "127.0.0.1");
`;

test("the API is probed while faults are injected, on the clock of this process", async (t) => {
  const startedMs = performance.now();
  const port = await freePort();
  const counted = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const server = new Worker(countingServer, { eval: true, workerData: { counted, port } });
  t.after(() => server.terminate());
  await once(server, "online");
  const probe = probeApi(`http://127.0.0.1:${port}/readyz`, 10);
  await probe.begun;
  const busyFrom = performance.now();
  Atomics.store(counted, 0, 0);
  Atomics.notify(counted, 0);
  // Nothing else of this thread runs.
  for (let seen = 0; seen < REQUESTS; seen = Atomics.load(counted, 0))
    assert.notEqual(Atomics.wait(counted, 0, seen, LIMIT_MS), "timed-out");
  const busyTo = performance.now();
  const { samples, sent, failed, longestGapMs } = await probe.stop();
  const asked = samples.map(({ startedMs }) => startedMs);
  assert.ok(asked.filter((at) => at >= busyFrom && at <= busyTo).length > REQUESTS / 2, "asked in the meantime");
  assert.ok(asked.every((at) => at >= startedMs && at <= performance.now()));
  assert.equal(failed, sent);
  const allAlong = Math.round((asked.at(-1) ?? 0) - (asked[0] ?? 0));
  assert.equal(longestGapMs, allAlong, "without an answer it was an outage all along");
  assert.equal((await probe.stop()).sent, samples.length, "it is stopped already");
});

test("each client has its share of the processors, whatever others and this process do", {
  skip: process.platform !== "linux" && "needs Linux",
}, async () => {
  const before = ownSessions();
  const orders = [1, 2].map(() => probeApi("http://127.0.0.1:1/", 1_000));
  await Promise.all(orders.map(({ begun }) => begun));
  // The process of a client of another test may still end.
  const started = ownSessions().filter((pid) => !before.includes(pid));
  const priorities = started.map(priorityOf);
  await Promise.all(orders.map((order) => order.stop()));
  assert.equal(started.length, 2, String(started));
  if (process.getuid?.() === 0) assert.deepEqual([...new Set(priorities.flat())], [-10]);
});

/** The nice value of a process, and that of its session where the kernel shares processors among sessions. */
function priorityOf(pid: string): readonly number[] {
  const file = `/proc/${pid}/autogroup`;
  const ofSession = fs.existsSync(file) ? /nice (-?[0-9]+)/.exec(fs.readFileSync(file, "utf8")) : null;
  return [os.getPriority(Number(pid)), ...(ofSession === null ? [] : [Number(ofSession[1])])];
}

/** Children of this process that have a session of their own. */
function ownSessions(): readonly string[] {
  const text = execFileSync("ps", ["-o", "sid=,pid=", "--ppid", String(process.pid)], { encoding: "utf8" });
  const children = text.trim().split("\n");
  return children
    .map((line) => line.trim().split(/ +/))
    .flatMap(([session, pid = ""]) => (session === pid ? [pid] : []));
}

test("a page is good with any text, and late with none", async (t) => {
  for (const [answer, errors] of [
    ["a page", {}],
    ["", { "status 200": 1 }],
    [undefined, { timeout: 1 }],
  ] as const) {
    const server = http.createServer((_, response) => answer !== undefined && response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    // A busy host delays answers.
    const timeoutMs = answer === undefined ? 200 : LIMIT_MS;
    const asked = once(server, "request");
    const client = startClient({ does: "read", intervalMs: 100, question: { url, timeoutMs } });
    await client.begun;
    // A request that has begun is waited for.
    await asked;
    const seen = await client.stop();
    assert.deepEqual(Object.keys(seen.errors), Object.keys(errors), String(answer));
  }
});

test("a client whose process is gone says so", async () => {
  const client = startClient({ does: "write", intervalMs: 10, kubeconfig: "not a kubeconfig", series: "w" });
  await assert.rejects(client.stop(), /a client has ended: exit code 1/);
});
