import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bench } from "../../bench/bench";
import { runBench } from "../../bench/run-bench";

const rows = [
  { name: "first", unit: "s", what: "" },
  { name: "second", unit: "s", what: "" },
] as const;
const configurations: Bench["configurations"] = [];

const origin = { commit: "697338e", date: "2026-11-28T06:00:00.000Z", load: 0.1 };

function options(wants = (_row: string): boolean => true) {
  const { signal } = new AbortController();
  return { rounds: 3, wants, signal, tell: () => undefined, measuredAt: async () => origin };
}

test("figures from before a failure are kept, and the bench is closed", async () => {
  let closed = 0;
  const bench: Bench = {
    ...{ rows, configurations },
    async measure({ number, record }) {
      record("first", { value: number });
      if (number === 2) throw new Error("broken");
      record("second", { value: 10 * number });
    },
    close: async () => void closed++,
  };
  const { results, missing, error } = await runBench(bench, options());
  assert.deepEqual(
    results.map(({ name, runs }) => [name, runs]),
    [
      ["first", 2],
      ["second", 1],
    ],
  );
  assert.deepEqual(missing, [
    { name: "first", reason: "broken" },
    { name: "second", reason: "broken" },
  ]);
  assert.match(String(error), /broken/);
  assert.equal(closed, 1);
});

test("rows without a request and rows without a sample are left out", async () => {
  const bench: Bench = { rows, configurations, measure: async ({ record }) => record("first", { value: 1 }) };
  assert.deepEqual(
    (
      await runBench(
        bench,
        options((row) => row === "second"),
      )
    ).results,
    [],
  );
  assert.deepEqual(
    (await runBench(bench, options())).results.map(({ name }) => name),
    ["first"],
  );
});

test("a requested row with fewer figures than rounds is missing, with the reason", async () => {
  const bench: Bench = {
    ...{ rows, configurations },
    async measure({ number, record, miss }) {
      record("first", { value: 1 });
      if (number < 3) record("second", { value: 1 });
      else miss("second", "master-1 did not recover");
    },
  };
  assert.deepEqual((await runBench(bench, options())).missing, [
    { name: "second", reason: "master-1 did not recover" },
  ]);
  const silent: Bench = { rows, configurations, measure: async () => undefined };
  const first = (row: string): boolean => row === "first";
  assert.deepEqual((await runBench(silent, options(first))).missing, [
    { name: "first", reason: "the bench recorded no figure" },
  ]);
});

test("each result has the commit, the date and the load of its measurement", async () => {
  const bench: Bench = { rows, configurations, measure: async ({ record }) => record("first", { value: 1 }) };
  const [result] = (await runBench(bench, options())).results;
  assert.deepEqual({ ...result, ...origin }, result);
});

test("no round starts after an interruption", async () => {
  const interruption = new AbortController();
  let rounds = 0;
  const bench: Bench = {
    ...{ rows, configurations },
    async measure() {
      rounds++;
      interruption.abort(new Error("ended by SIGINT"));
    },
  };
  const { error } = await runBench(bench, { ...options(), signal: interruption.signal });
  assert.equal(rounds, 1);
  assert.match(String(error), /ended by SIGINT/);
});

test("rows that the machine cannot measure are missing with the reason", async () => {
  const bench: Bench = { rows, configurations, unavailable: async () => "no root", measure: () => assert.fail() };
  const missing = rows.map(({ name }) => ({ name, reason: "no root" }));
  assert.deepEqual(await runBench(bench, options()), { results: [], missing });
});
