import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { probeApi } from "../../verify/api-probe";
import { freePort } from "../support/qemu-host";

test("the API is probed while faults are injected, on the clock of this process", async () => {
  const begun = performance.now();
  const probe = probeApi(`https://127.0.0.1:${await freePort()}/readyz`, 10);
  // On a busy machine the probe's thread takes seconds to start.
  await sleep(5_000);
  const busyFrom = performance.now();
  while (performance.now() - busyFrom < 400) {
    // Nothing else of this thread runs.
  }
  const { samples, errors, longestGapMs } = await probe.stop();
  const asked = samples.map(({ startedMs }) => startedMs);
  assert.ok(asked.every((at) => at >= begun && at <= performance.now()));
  assert.ok(asked.filter((at) => at >= busyFrom && at < busyFrom + 400).length > 10, "asked in the meantime");
  assert.deepEqual(Object.keys(errors), ["ECONNREFUSED"]);
  assert.ok(longestGapMs >= 400, "without an answer it was an outage all along");
});
