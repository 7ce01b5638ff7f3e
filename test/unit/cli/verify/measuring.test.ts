import assert from "node:assert/strict";
import { test } from "node:test";
import { heldTwice } from "../../../../cli/verify/faults/balancers";
import { longestGap } from "../../../../cli/verify/faults/whole";
import { askRepeatedly, summarizeSamples } from "../../../../cli/verify/samples";
import { summarizeMeasure } from "../../../../cli/verify/statistics";

test("a gap lasts from the last good answer before it to the first one after it, by the times of the questions", () => {
  const sample = (startedMs: number, error?: string) => ({ startedMs, error });
  const seen = summarizeSamples([
    sample(40),
    sample(10),
    sample(20, "ECONNREFUSED"),
    sample(30, "timeout"),
    sample(45),
    sample(50, "timeout"),
  ]);
  assert.deepEqual(
    { ...seen, samples: seen.samples.map(({ startedMs }) => startedMs) },
    {
      samples: [10, 20, 30, 40, 45, 50],
      asked: 6,
      failed: 3,
      longestGapMs: 30,
      errors: { ECONNREFUSED: 1, timeout: 2 },
    },
  );
});

test("a service that hangs is not asked by ever more questions at once", async () => {
  let answer: (error: string | undefined) => void = () => undefined;
  const hanging = new Promise<string | undefined>((resolve) => {
    answer = resolve;
  });
  const watching = askRepeatedly(1, () => hanging);
  await new Promise((resolve) => setTimeout(resolve, 800));
  answer("too late");
  const { asked, failed } = await watching.stop();
  assert.ok(asked > 0 && asked <= 250, String(asked));
  assert.equal(failed, asked);
});

test("a target is met by the 95th percentile of the rounds, not by their median", () => {
  const measure = { name: "api-gap", what: "", unit: "ms", target: 100 } as const;
  assert.deepEqual(
    [
      [90, 100, 80],
      [90, 101, 80],
    ].map((values) => summarizeMeasure("master-kill", measure, values).met),
    [true, false],
  );
  const { target: _, ...told } = measure;
  assert.equal(summarizeMeasure("master-kill", told, [1_000]).met, undefined);
});

test("the floating IP is held twice only while both have it", () => {
  const held = (fromMs: number, toMs: number) => ({ fromMs, toMs });
  assert.equal(heldTwice([[held(0, 100)], [held(100, 200)]]), 0);
  assert.equal(heldTwice([[held(0, 60), held(60, 130)], [held(100, 200)]]), 30);
});

test("a gap between notes of a guest is told in ms", () => {
  assert.equal(longestGap("10.100000\n10.250000\n11.000000\n"), 750);
});
