import assert from "node:assert/strict";
import { test } from "node:test";
import { benches } from "../../bench/benches";
import { chooseRows } from "../../bench/choose-rows";
import { parseSettings } from "../../bench/parse-settings";
import { mergeResults } from "../../bench/results-file";

test("an unknown row is refused with the nearest names", () => {
  assert.throws(
    () => chooseRows(benches, ["plan-render"]),
    /^Error: unknown row "plan-render": did you mean plan-render-1000, plan-render-5000\?$/,
  );
  assert.throws(() => chooseRows(benches, ["lab-upp"]), /did you mean lab-up/);
  assert.throws(() => chooseRows(benches, ["lab-up", ""]), /unknown row "": the rows are plan-render-1000, /);
  assert.deepEqual(chooseRows(benches, ["lab-up", "stop", "lab-up"]), ["lab-up", "stop"]);
});

test("without names, all rows are chosen except those that take long", () => {
  const rows = chooseRows(benches, undefined);
  for (const name of ["plan-render-1000", "lab-up", "stop", "restore", "snapshot", "rollback", "destroy", "small-up"])
    assert.ok(rows.includes(name), name);
  for (const name of ["first-start", "qemu-boot", "upgrade-lab", "upgrade-gap"]) assert.ok(!rows.includes(name), name);
});

test("no two rows have the same name", () => {
  const names = benches.flatMap(({ rows }) => rows.map(({ name }) => name));
  assert.deepEqual(names, [...new Set(names)]);
});

test("the product accepts the configurations of every bench", () => {
  for (const { rows, configurations } of benches) {
    const [row] = rows;
    assert.ok(configurations.length > 0, row?.name);
    for (const settings of configurations) assert.doesNotThrow(() => parseSettings(settings, "bench"), row?.name);
  }
});

test("rows that are not measured now keep the commit that they were measured at", () => {
  const row = (name: string, commit: string) =>
    ({ name, unit: "s", what: "", runs: 1, median: 1, p95: 1, commit, date: "", load: 0 }) as const;
  const merged = mergeResults(
    [row("gone", "a"), row("two", "a"), row("one", "a")],
    [row("two", "b")],
    ["one", "two", "three"],
  );
  assert.deepEqual(
    merged.map(({ name, commit }) => [name, commit]),
    [
      ["one", "a"],
      ["two", "b"],
    ],
  );
});
