import assert from "node:assert/strict";
import { test } from "node:test";
import { RolledNodes } from "../../support/rolled-nodes";

const image = (node: string) => ` ~  groundplane:index:NodeImage ${node}-image`;

test("an up names the nodes that get another image, and when", () => {
  const rolled = new RolledNodes();
  const lines: readonly (readonly [number, string])[] = [
    [1, `${image("master-1")} refresh (1s)`],
    [2, `${image("master-1")} updating (0s) [diff: ~image]`],
    [3, `${image("master-1")} updating (7s) [diff: ~image]; master-1: draining`],
    [4, " ~  groundplane:index:NodeFiles worker-1-files updating (0s) [diff: ~files]"],
    [5, `${image("master-1")} updated (9s) [diff: ~image]; master-1: booting`],
    [6, `${image("worker-1")} updating (0s) [diff: ~image]`],
    [7, `${image("master-1")} updated (9s)`],
    [8, `${image("worker-2")} updated (9s)`],
  ];
  for (const [now, line] of lines) rolled.read(line, now);
  assert.deepEqual(rolled.nodes, [{ node: "master-1", startedMs: 2, endedMs: 5 }]);
});
