import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bench } from "../../bench/bench";
import { runBench } from "../../bench/run-bench";

const rows = [
  { name: "first", unit: "s", what: "" },
  { name: "second", unit: "s", what: "" },
] as const;

function options(wants = (_row: string): boolean => true) {
  const told: string[] = [];
  return { rounds: 3, wants, signal: new AbortController().signal, tell: (line: string) => void told.push(line), told };
}

test("a failed step keeps what was measured before it, and the bench is closed", async () => {
  let closed = 0;
  const bench: Bench = {
    rows,
    async measure({ number, record }) {
      record("first", { value: number });
      if (number === 2) throw new Error("broken");
      record("second", { value: 10 * number });
    },
    close: async () => void closed++,
  };
  const { results, error } = await runBench(bench, options());
  assert.deepEqual(
    results.map(({ name, runs }) => [name, runs]),
    [
      ["first", 2],
      ["second", 1],
    ],
  );
  assert.match(String(error), /broken/);
  assert.equal(closed, 1);
});

test("rows that nobody asked for and rows without a sample are left out", async () => {
  const bench: Bench = { rows, measure: async ({ record }) => record("first", { value: 1 }) };
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

test("after an interruption no round is begun", async () => {
  const interruption = new AbortController();
  let rounds = 0;
  const bench: Bench = {
    rows,
    async measure() {
      rounds++;
      interruption.abort(new Error("ended by SIGINT"));
    },
  };
  const { error } = await runBench(bench, { ...options(), signal: interruption.signal });
  assert.equal(rounds, 1);
  assert.match(String(error), /ended by SIGINT/);
});

test("what a machine cannot do is skipped with the reason", async () => {
  const given = options();
  const bench: Bench = { rows, unavailable: async () => "no root", measure: () => assert.fail() };
  assert.deepEqual(await runBench(bench, given), { results: [] });
  assert.deepEqual(given.told, ["first, second: skipped, no root"]);
});
