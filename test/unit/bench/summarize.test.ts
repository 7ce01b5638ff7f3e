import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile, summarize } from "../../bench/bench";

test("a quantile is one of the measured values", () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([1, 2, 3], 0.95), 3);
  assert.equal(quantile([7], 0.5), 7);
  assert.throws(() => quantile([], 0.5), RangeError);
});

test("a row has the median, the p95 and the ratio to the limit of the machine", () => {
  const row = { name: "lab-up", unit: "s", what: "creation" } as const;
  const origin = { commit: "697338e", date: "2026-11-28T06:00:00.000Z", load: 0.1 };
  assert.deepEqual(summarize(row, [{ value: 3 }, { value: 1 }, { value: 2.00004 }], origin), {
    ...{ name: "lab-up", unit: "s", what: "creation", runs: 3, median: 2, p95: 3, ...origin },
  });
  assert.equal(summarize({ ...row, target: 0 }, [{ value: 3 }], origin).target, 0);
  const limited = summarize(
    row,
    [1, 2, 3].map((value) => ({ value: 4 * value, limit: value })),
    origin,
  );
  assert.deepEqual([limited.limit, limited.ratio], [2, 4]);
});
