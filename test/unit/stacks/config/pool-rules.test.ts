import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

test("some worker stays while others get another image", () => {
  const problemOf = (count: number, maxUnavailable: number) => {
    const { problems = [] } = parseConfiguration({ pools: { workers: { count, maxUnavailable } } }, { stack: "lab" });
    return problems.map(({ path, rule, fix }) => `${path} ${rule.replace(/:.*/, "")}; ${fix}`).join();
  };
  const rule = "pools.workers.maxUnavailable must be less than the number of workers, which is";
  const rows: readonly (readonly [count: number, maxUnavailable: number, problem: string])[] = [
    [0, 1, ""],
    [1, 1, ""],
    [2, 1, ""],
    [2, 2, `${rule} 2; use 1`],
    [3, 2, ""],
    [3, 3, `${rule} 3; use 2 or less`],
    [0, 2, `${rule} 0; use 1`],
  ];
  for (const [count, maxUnavailable, problem] of rows) assert.equal(problemOf(count, maxUnavailable), problem);
});
