import assert from "node:assert/strict";
import { test } from "node:test";
import { fillMarkedPart, renderMarkdownTable } from "../../bench/markdown-table";

const result = { name: "lab-up", unit: "s", what: "birth", runs: 3, median: 45.2, p95: 47 } as const;

test("a table has a line for each row, with units, and empty cells where there is no limit", () => {
  const lines = renderMarkdownTable([{ ...result, limit: 25, ratio: 1.808 }, result]).split("\n");
  assert.deepEqual(lines, [
    "| name | what | median | p95 | machine's limit | ratio | runs |",
    "| --- | --- | --: | --: | --: | --: | --: |",
    "| `lab-up` | birth | 45.2 s | 47 s | 25 s | 1.808 | 3 |",
    "| `lab-up` | birth | 45.2 s | 47 s |  |  | 3 |",
    "",
  ]);
});

test("only what stands between the marks is replaced, again and again", () => {
  const text = "# a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n";
  const once = fillMarkedPart(text, "| new |\n");
  assert.equal(once, "# a\n<!-- bench:begin -->\n| new |\n<!-- bench:end -->\nb\n");
  assert.equal(fillMarkedPart(once, "| new |\n"), once);
});

test("a file without marks is not touched", () => {
  assert.throws(() => fillMarkedPart("# a\n<!-- bench:end --> <!-- bench:begin -->", ""), /no part between/);
});
