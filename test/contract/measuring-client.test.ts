import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { probeApi } from "../../verify/api-probe";
import { startClient } from "../../verify/measuring-client";
import { freePort } from "../support/host-observations";

const BUSY_MS = 400;

test("the API is probed while faults are injected, on the clock of this process", async () => {
  const startedMs = performance.now();
  const probe = probeApi(`https://127.0.0.1:${await freePort()}/readyz`, 10);
  await probe.begun;
  const busyFrom = performance.now();
  while (performance.now() - busyFrom < BUSY_MS) {
    // Nothing else of this thread runs.
  }
  const { samples, errors, longestGapMs } = await probe.stop();
  const asked = samples.map(({ startedMs }) => startedMs);
  assert.ok(asked.filter((at) => at >= busyFrom && at < busyFrom + BUSY_MS).length > 10, "asked in the meantime");
  assert.ok(asked.every((at) => at >= startedMs && at <= performance.now()));
  assert.deepEqual(Object.keys(errors), ["ECONNREFUSED"]);
  assert.ok(longestGapMs >= BUSY_MS - 50, "without an answer it was an outage all along");
  assert.equal((await probe.stop()).sent, samples.length, "it is stopped already");
});

test("each client has its share of the processors, whatever others and this process do", {
  skip: process.platform !== "linux" && "needs Linux",
}, async () => {
  const orders = [1, 2].map(() => probeApi("http://127.0.0.1:1/", 1_000));
  await Promise.all(orders.map(({ begun }) => begun));
  const sessions = execFileSync("ps", ["-o", "sid=,pid=", "--ppid", String(process.pid)], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));
  const own = sessions.filter(([session, pid]) => session === pid);
  await Promise.all(orders.map((order) => order.stop()));
  assert.equal(own.length, 2, JSON.stringify(sessions));
});

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
    const timeoutMs = answer === undefined ? 200 : 10_000;
    const client = startClient({ does: "read", intervalMs: 100, question: { url, timeoutMs } });
    await client.begun;
    await sleep(250);
    const seen = await client.stop();
    assert.deepEqual(Object.keys(seen.errors), Object.keys(errors), String(answer));
  }
});

test("a client whose process is gone says so", async () => {
  const client = startClient({ does: "write", intervalMs: 10, kubeconfig: "not a kubeconfig", series: "w" });
  await assert.rejects(client.stop(), /a client has ended: exit code 1/);
});
