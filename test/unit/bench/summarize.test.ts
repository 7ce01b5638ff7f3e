import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile, summarize } from "../../bench/bench";

test("quantiles are values that were measured", () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([1, 2, 3], 0.95), 3);
  assert.equal(quantile([7], 0.5), 7);
  assert.throws(() => quantile([], 0.5), RangeError);
});

test("a row says median, p95 and how far the machine's limit is", () => {
  const row = { name: "lab-up", unit: "s", what: "birth" } as const;
  assert.deepEqual(summarize(row, [{ value: 3 }, { value: 1 }, { value: 2.00004 }]), {
    ...{ name: "lab-up", unit: "s", what: "birth", runs: 3, median: 2, p95: 3 },
  });
  const limited = summarize(
    row,
    [1, 2, 3].map((value) => ({ value: 4 * value, limit: value })),
  );
  assert.deepEqual([limited.limit, limited.ratio], [2, 4]);
});
