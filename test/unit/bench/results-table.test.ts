import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchResult } from "../../bench/bench";
import { fillMarkedPart, renderMarkdownTable, renderRecorded, renderTextTable } from "../../bench/results-table";

const result: BenchResult = {
  ...{ name: "lab-up", unit: "s", what: "creation", runs: 3, median: 45.2, p95: 47 },
  ...{ commit: "697338e", date: "2026-11-28T06:00:00.000Z", load: 0.1 },
};

test("the table has a line per row, with units, and empty cells without a limit", () => {
  const lines = renderMarkdownTable([{ ...result, limit: 25, ratio: 1.808 }, result]).split("\n");
  assert.deepEqual(lines, [
    "| name | what | median | p95 | machine's limit | ratio | runs |",
    "| --- | --- | --: | --: | --: | --: | --: |",
    "| `lab-up` | creation | 45.2 s | 47 s | 25 s | 1.808 | 3 |",
    "| `lab-up` | creation | 45.2 s | 47 s |  |  | 3 |",
    "",
  ]);
});

test("a target follows what is measured, also a target of zero", () => {
  const [, , line] = renderMarkdownTable([{ ...result, unit: "ms", target: 0 }]).split("\n");
  assert.equal(line, "| `lab-up` | creation; target: at most 0 ms | 45.2 ms | 47 ms |  |  | 3 |");
});

test("only the part between the marks is replaced, and again by the next run", () => {
  const text = "# a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n";
  const once = fillMarkedPart(text, "| new |\n");
  assert.equal(once, "# a\n<!-- bench:begin -->\n| new |\n<!-- bench:end -->\nb\n");
  assert.equal(fillMarkedPart(once, "| new |\n"), once);
});

test("a file without marks is not changed", () => {
  assert.throws(() => fillMarkedPart("# a\n<!-- bench:end --> <!-- bench:begin -->", ""), /no part between/);
});

test("the table for a terminal aligns its columns", () => {
  assert.deepEqual(renderTextTable([result]).split("\n"), [
    "name    unit  runs  median  p95  target  limit  ratio",
    "lab-up  s        3    45.2   47                      ",
  ]);
});

test("the recorded results have a table for each commit, of which the last one comes first", () => {
  const older = { ...result, name: "stop", commit: "9fa5866abcdef", date: "2026-11-27T06:00:00.000Z" };
  const lines = renderRecorded([older, { ...result, name: "preview", load: 0.3 }, result]).split("\n");
  assert.deepEqual(
    lines.filter((line) => /^Measured|`/.test(line)).map((line) => line.slice(0, 73)),
    [
      "Measured at commit `697338e`, 2026-11-28, load per core 0.1 to 0.3.",
      "| `preview` | creation | 45.2 s | 47 s |  |  | 3 |",
      "| `lab-up` | creation | 45.2 s | 47 s |  |  | 3 |",
      "Measured at commit `9fa5866`, 2026-11-27, load per core 0.1.",
      "| `stop` | creation | 45.2 s | 47 s |  |  | 3 |",
    ],
  );
});
