import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { probeApi } from "../../verify/api-probe";
import { freePort } from "../support/host-observations";

/** The time that the probe's thread has to start, and then the time in which this thread is busy. */
const attempts = [
  { startMs: 2_000, busyMs: 400 },
  { startMs: 10_000, busyMs: 4_000 },
  { startMs: 60_000, busyMs: 15_000 },
];

test("the API is probed while faults are injected, on the clock of this process", async () => {
  // Other tests use the processors as well.
  for (const { startMs, busyMs } of attempts) {
    const begun = performance.now();
    const probe = probeApi(`https://127.0.0.1:${await freePort()}/readyz`, 10);
    await sleep(startMs);
    const busyFrom = performance.now();
    while (performance.now() - busyFrom < busyMs) {
      // Nothing else of this thread runs.
    }
    const { samples, errors, longestGapMs } = await probe.stop();
    const asked = samples.map(({ startedMs }) => startedMs);
    if (asked.filter((at) => at >= busyFrom && at < busyFrom + busyMs).length <= 10) continue;
    assert.ok(asked.every((at) => at >= begun && at <= performance.now()));
    assert.deepEqual(Object.keys(errors), ["ECONNREFUSED"]);
    assert.ok(longestGapMs >= busyMs, "without an answer it was an outage all along");
    return;
  }
  assert.fail("asked in the meantime");
});
